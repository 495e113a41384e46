import { infiniteQueryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { RequestList } from '@/api/types';

export interface RequestFilter {
  method?: string;
  status?: string;
  path?: string;
  min_milliseconds?: number;
}

const PAGE_SIZE = 100;

/** Newest first; a further page holds what came before the last number. */
export const requestsQuery = (filter: RequestFilter, live: boolean) =>
  infiniteQueryOptions({
    queryKey: ['requests', filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<RequestList>('/admin/requests', { query: { ...filter, before: pageParam, limit: PAGE_SIZE }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ items }) => (items.length === PAGE_SIZE ? items.at(-1)?.number : undefined),
    refetchInterval: live ? 3_000 : false,
  });
