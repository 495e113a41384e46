import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { ApiKey, ApiKeyCreate, ApiKeyList } from '@/api/types';

export const apiKeysQuery = (query: { limit: number; offset: number }) =>
  queryOptions({
    queryKey: ['api-keys', query],
    queryFn: ({ signal }) => api.get<ApiKeyList>('/admin/api-keys', { query, signal }),
    placeholderData: keepPreviousData,
  });

export function useCreateApiKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: ApiKeyCreate) => api.post<ApiKey>('/admin/api-keys', input),
    onSuccess: () => reread(queries, ['api-keys']),
  });
}

export function useRevokeApiKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/admin/api-keys/${id}`),
    onSuccess: () => reread(queries, ['api-keys']),
  });
}
