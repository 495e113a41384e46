import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { RecordPage, RecordRow } from '@/api/types';

export interface PageQuery {
  skip: number;
  limit: number;
  sort?: string;
  filter?: string;
}

const path = (collection: string, id?: string) =>
  `/records/${encodeURIComponent(collection)}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

export const recordPageQuery = (collection: string, query: PageQuery) =>
  queryOptions({
    queryKey: ['records', collection, 'page', query],
    queryFn: ({ signal }) => api.get<RecordPage>(path(collection), { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
  });

export const recordQuery = (collection: string, id: string) =>
  queryOptions({
    queryKey: ['records', collection, 'one', id],
    queryFn: ({ signal }) => api.get<RecordRow>(path(collection, id), { signal }),
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
    queryFn: async ({ signal }) => {
      const page = await api.get<RecordPage>(path(collection), { query: { limit: 1, sort: '-created_at' }, signal });
      return page.items[0] ?? null;
    },
    enabled: false,
  });
}

function useRefreshRecords(collection: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ['records', collection, 'page'] }),
      queries.invalidateQueries({ queryKey: ['collections'] }),
    ]);
}

export function useCreateRecord(collection: string) {
  const refresh = useRefreshRecords(collection);
  return useMutation({
    mutationFn: (data: Record<string, unknown>) => api.post<RecordRow>(path(collection), data),
    onSuccess: refresh,
  });
}

/** `onSaved` belongs to the hook: saving remounts the form, which would drop a callback given to `mutate`. */
export function useUpdateRecord(collection: string, id: string, onSaved: () => void) {
  const queries = useQueryClient();
  const refresh = useRefreshRecords(collection);
  return useMutation({
    mutationFn: (data: Record<string, unknown>) => api.patch<RecordRow>(path(collection, id), data),
    onSuccess: (record) => {
      onSaved();
      queries.setQueryData(recordQuery(collection, id).queryKey, record);
      return refresh();
    },
  });
}

export function useDeleteRecords(collection: string) {
  const refresh = useRefreshRecords(collection);
  return useMutation({
    mutationFn: (ids: string[]) =>
      ids.length === 1
        ? api.delete(path(collection, ids[0]))
        : api.delete(`${path(collection)}/batch`, { body: { ids } }),
    onSuccess: refresh,
  });
}
