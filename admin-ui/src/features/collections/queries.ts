import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { Collection, CollectionInput, CollectionList, CollectionNames } from '@/api/types';

interface ListQuery {
  page?: number;
  page_size?: number;
  sort_by?: string;
  sort_order?: 'asc' | 'desc';
  search?: string;
}

const path = (name: string) => `/collections/${encodeURIComponent(name)}`;

export const collectionsQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ['collections', 'list', query],
    queryFn: ({ signal }) => api.get<CollectionList>('/collections', { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
  });

/** The names of all collections, sorted. */
export const collectionNamesQuery = queryOptions({
  queryKey: ['collections', 'names'],
  queryFn: ({ signal }) => api.get<CollectionNames>('/collections/names', { signal }),
});

export const collectionQuery = (name: string) =>
  queryOptions({
    queryKey: ['collections', 'one', name],
    queryFn: ({ signal }) => api.get<Collection>(path(name), { signal }),
  });

export function useCreateCollection() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: CollectionInput) => api.post<Collection>('/collections', input),
    onSuccess: () => reread(queries, ['collections']),
  });
}

/** `onSaved` belongs to the hook: saving remounts the form, which would drop a callback given to `mutate`. */
export function useUpdateCollection(name: string, onSaved: (sent: Partial<CollectionInput>) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: Partial<CollectionInput>) => api.put<Collection>(path(name), input),
    onSuccess: (collection, sent) => {
      onSaved(sent);
      queries.setQueryData(collectionQuery(name).queryKey, collection);
      reread(queries, ['collections'], ['records', name]);
    },
  });
}

export function useRenameCollection(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => api.post<Collection>(`${path(id)}/rename`, { name }),
    onSuccess: (collection) => {
      queries.setQueryData(collectionQuery(collection.name).queryKey, collection);
      reread(queries, ['collections', 'list'], ['collections', 'names']);
    },
  });
}

export function useDeleteCollection(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete<{ records_deleted?: number }>(path(name)),
    onSuccess: () => reread(queries, ['collections', 'list'], ['collections', 'names']),
  });
}

/** To be called once no page shows the deleted collection any more: a mounted one would ask for it again. */
export function useForgetCollection(name: string): () => void {
  const queries = useQueryClient();
  return () => {
    queries.removeQueries({ queryKey: ['collections', 'one', name] });
    queries.removeQueries({ queryKey: ['records', name] });
    queries.removeQueries({ queryKey: ['rules', name] });
  };
}
