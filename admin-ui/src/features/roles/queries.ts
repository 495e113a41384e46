import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { Role, RoleCreate, RoleList, RoleUpdate } from '@/api/types';

export const rolesQuery = queryOptions({
  queryKey: ['roles'],
  queryFn: ({ signal }) => api.get<RoleList>('/roles', { signal }),
});

export function useSaveRole(id: number | null) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: RoleCreate & RoleUpdate) =>
      id === null ? api.post<Role>('/roles', input) : api.put<Role>(`/roles/${id}`, input),
    onSuccess: () => reread(queries, ['roles']),
  });
}

export function useDeleteRole() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => api.delete(`/roles/${id}`),
    onSuccess: () => reread(queries, ['roles']),
  });
}
