import { queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { CollectionList, CollectionListItem } from '@/api/types';

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
