import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, UI_CORRELATION } from '@/api/client';
import type { AuditPage, RequestEntry, RequestList } from '@/api/types';

export interface RequestFilter {
  method?: string;
  status?: string;
  path?: string;
  min_milliseconds?: number;
}

const PAGE_SIZE = 200;
const FOLLOW_MILLISECONDS = 3_000;
/** Following many pages asks for all of them each time. */
const FOLLOW_MANY_MILLISECONDS = 10_000;

/** Newest first; a further page holds what came before the last number. */
export const requestsQuery = (filter: RequestFilter, live: boolean) =>
  infiniteQueryOptions({
    queryKey: ['requests', filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<RequestList>('/admin/requests', { query: { ...filter, before: pageParam, limit: PAGE_SIZE }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ items }) => (items.length === PAGE_SIZE ? items.at(-1)?.number : undefined),
    refetchInterval: ({ state }) => (!live ? false : (state.data?.pages.length ?? 0) > 1 ? FOLLOW_MANY_MILLISECONDS : FOLLOW_MILLISECONDS),
  });

/** Null when it is too long ago to be remembered. */
export const requestQuery = (number: number) =>
  queryOptions({
    queryKey: ['requests', 'one', number],
    queryFn: async ({ signal }): Promise<RequestEntry | null> => {
      const { items } = await api.get<RequestList>('/admin/requests', { query: { before: number + 1, limit: 1 }, signal });
      return items.find((item) => item.number === number) ?? null;
    },
    staleTime: Infinity,
  });

/** Whether this UI sent it, in any browser. */
export function isFromUi({ correlation_id }: Pick<RequestEntry, 'correlation_id'>): boolean {
  return correlation_id.startsWith(UI_CORRELATION);
}

/** The trail is asked for this long before and after the answer: it is written when the request commits. */
const TRAIL_MILLISECONDS = 15_000;
const MAX_ROWS = 500;

/** What the audit trail tells of a request, found by the correlation id that both keep. */
export const effectsQuery = ({ at, correlation_id }: RequestEntry) =>
  queryOptions({
    queryKey: ['audit', 'of request', correlation_id],
    queryFn: async ({ signal }) => {
      const moment = new Date(at).getTime();
      const query = {
        from_date: new Date(moment - TRAIL_MILLISECONDS).toISOString(),
        to_date: new Date(moment + TRAIL_MILLISECONDS).toISOString(),
        limit: MAX_ROWS,
      };
      const { items } = await api.get<AuditPage>('/audit-logs', { query, signal });
      return items.filter((row) => row.request_id === correlation_id);
    },
  });
