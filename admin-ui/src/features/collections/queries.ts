import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Collection, CollectionInput, CollectionList } from '@/api/types';

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

/** Enough for every picker: nobody scrolls through more than a hundred names. */
export const collectionNamesQuery = collectionsQuery({ page: 1, page_size: 100, sort_by: 'name', sort_order: 'asc' });

export const collectionQuery = (name: string) =>
  queryOptions({
    queryKey: ['collections', 'one', name],
    queryFn: ({ signal }) => api.get<Collection>(path(name), { signal }),
  });

export function useCreateCollection() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: CollectionInput) => api.post<Collection>('/collections', input),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['collections'] }),
  });
}

/** `onSaved` belongs to the hook: saving remounts the form, which would drop a callback given to `mutate`. */
export function useUpdateCollection(name: string, onSaved: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: Partial<CollectionInput>) => api.put<Collection>(path(name), input),
    onSuccess: (collection) => {
      onSaved();
      queries.setQueryData(collectionQuery(name).queryKey, collection);
      return Promise.all([
        queries.invalidateQueries({ queryKey: ['collections'] }),
        queries.invalidateQueries({ queryKey: ['records', name] }),
      ]);
    },
  });
}

export function useDeleteCollection(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete<{ records_deleted?: number }>(path(name)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['collections', 'list'] }),
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
