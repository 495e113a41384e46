import { queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { CollectionList, CollectionListItem, PermissionMatrix, RoleList } from '@/api/types';

/** A page of the API holds no more. */
const PAGE_SIZE = 100;

/** All collections with their fields and counts, by name. */
export const allCollectionsQuery = queryOptions({
  queryKey: ['collections', 'all'],
  queryFn: async ({ signal }) => {
    const all: CollectionListItem[] = [];
    for (let page = 1; ; page += 1) {
      const query = { page, page_size: PAGE_SIZE, sort_by: 'name', sort_order: 'asc' };
      const { items, total } = await api.get<CollectionList>('/collections', { query, signal });
      all.push(...items);
      if (items.length < PAGE_SIZE || all.length >= total) return all;
    }
  },
});

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
