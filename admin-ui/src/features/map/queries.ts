import { queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { PermissionMatrix, RoleList } from '@/api/types';

/** The rules of all collections; the first role stands for all, since rules do not depend on it. */
export const allRulesQuery = queryOptions({
  queryKey: ['rules', 'all'],
  queryFn: async ({ signal }) => {
    const { items } = await api.get<RoleList>('/roles', { signal });
    const first = items[0];
    if (!first) return [];
    return (await api.get<PermissionMatrix>(`/roles/${first.id}/permissions/matrix`, { signal })).collections;
  },
});
