import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { RecordPage, RecordRow } from '@/api/types';

/** What a list is: the same text that the API takes. */
export interface ListQuery {
  sort: string;
  filter: string;
  /** Words for the full-text index, where the collection has one. */
  search?: string;
}

export interface PageQuery {
  skip?: number;
  limit: number;
  sort?: string;
  filter?: string;
  search?: string;
  fields?: string;
  expand?: string;
  cursor?: string;
  cursor_before?: string;
  include_count?: boolean;
}

export const recordPath = (collection: string, id?: string) =>
  `/records/${encodeURIComponent(collection)}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

export function fetchPage(collection: string, query: PageQuery, signal?: AbortSignal): Promise<RecordPage> {
  return api.get<RecordPage>(recordPath(collection), {
    query: { ...query, filter: query.filter === '' ? undefined : query.filter, sort: query.sort === '' ? undefined : query.sort },
    signal,
  });
}

/** The first few, for pickers. */
export const recordsQuery = (collection: string, query: PageQuery) =>
  queryOptions({
    queryKey: ['records', collection, 'few', query],
    queryFn: ({ signal }) => fetchPage(collection, query, signal),
    placeholderData: (before) => before,
  });

export const recordQuery = (collection: string, id: string) =>
  queryOptions({
    queryKey: ['records', collection, 'one', id],
    queryFn: ({ signal }) => api.get<RecordRow>(recordPath(collection, id), { signal }),
  });

/** One record; what the table already shows of it stands there at once. */
export function useRecord(collection: string, id: string) {
  const queries = useQueryClient();
  return useQuery({
    ...recordQuery(collection, id),
    placeholderData: () => {
      const pages = queries.getQueriesData<RecordPage>({ queryKey: ['records', collection, 'page'] });
      return pages.flatMap(([, page]) => page?.items ?? []).find((record) => record.id === id);
    },
  });
}

/** Asked for by hand only; null when the collection is empty. */
export function useNewestRecord(collection: string) {
  return useQuery({
    queryKey: ['records', collection, 'newest'],
    queryFn: async ({ signal }) => (await fetchPage(collection, { limit: 1, sort: '-created_at' }, signal)).items[0] ?? null,
    enabled: false,
  });
}

/** Puts what is known to be stored into every page that shows the record. */
export function placeRecord(queries: QueryClient, collection: string, record: RecordRow): void {
  queries.setQueryData(recordQuery(collection, record.id).queryKey, (before) => (before ? { ...before, ...record } : undefined));
  queries.setQueriesData<RecordPage>({ queryKey: ['records', collection, 'page'] }, (page) => {
    if (!page?.items.some((item) => item.id === record.id)) return page;
    return { ...page, items: page.items.map((item) => (item.id === record.id ? merged(item, record) : item)) };
  });
}

/** Answers to writes and events carry no name of the account; it does not change. */
function merged(before: RecordRow, after: RecordRow): RecordRow {
  return { ...before, ...after, account_name: after.account_name ?? before.account_name };
}

export function refreshRecords(queries: QueryClient, collection: string): void {
  reread(queries, ['records', collection, 'page'], ['records', collection, 'few'], ['collections']);
}

export function useCreateRecord(collection: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (data: Record<string, unknown>) => api.post<RecordRow>(recordPath(collection), data),
    onSuccess: () => refreshRecords(queries, collection),
  });
}

/** `onSaved` belongs to the hook: saving remounts the form, which would drop a callback given to `mutate`. */
export function useUpdateRecord(collection: string, id: string, onSaved: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (data: Record<string, unknown>) => api.patch<RecordRow>(recordPath(collection, id), data),
    onSuccess: (record) => {
      onSaved();
      queries.setQueryData(recordQuery(collection, id).queryKey, record);
      refreshRecords(queries, collection);
    },
  });
}

/** One value, in place: the row stays where it is until the list is loaded again. */
export function usePatchRecord(collection: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, data }: { id: string; data: Record<string, unknown> }) => api.patch<RecordRow>(recordPath(collection, id), data),
    onSuccess: (record) => placeRecord(queries, collection, record),
  });
}

export function useDeleteRecord(collection: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(recordPath(collection, id)),
    onSuccess: () => refreshRecords(queries, collection),
  });
}
