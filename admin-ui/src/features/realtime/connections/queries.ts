import { infiniteQueryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { ConnectionList } from '@/api/types';

export interface ConnectionFilter {
  account?: string;
  user_id?: string;
  protocol?: string;
}

const PAGE_SIZE = 100;
const KEY = ['connections'];

/** Newest first; a further page holds those that are older than the last one. */
export const connectionsQuery = (filter: ConnectionFilter, follow: boolean) =>
  infiniteQueryOptions({
    queryKey: [...KEY, filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<ConnectionList>('/admin/realtime/connections', { query: { ...filter, before: pageParam, limit: PAGE_SIZE }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ items }) => (items.length === PAGE_SIZE ? items.at(-1)?.id : undefined),
    refetchInterval: follow ? 3_000 : false,
  });

export function useEndConnection(onEnded: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/admin/realtime/connections/${id}`),
    onSuccess: () => {
      onEnded();
      reread(queries, KEY);
    },
  });
}
