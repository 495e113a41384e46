import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { AccountCreate, AccountDetail, AccountList } from '@/api/types';

interface ListQuery {
  search?: string;
  page?: number;
  page_size?: number;
  sort_by?: string;
  sort_order?: 'asc' | 'desc';
}

export const accountsQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ['accounts', query],
    queryFn: ({ signal }) => api.get<AccountList>('/accounts', { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
  });

export const accountQuery = (id: string) =>
  queryOptions({
    queryKey: ['accounts', 'one', id],
    queryFn: ({ signal }) => api.get<AccountDetail>(`/accounts/${id}`, { signal }),
  });

export function useCreateAccount() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: AccountCreate) => api.post<AccountDetail>('/accounts', input),
    onSuccess: () => reread(queries, ['accounts']),
  });
}

export function useRenameAccount(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => api.put<AccountDetail>(`/accounts/${id}`, { name }),
    onSuccess: () => reread(queries, ['accounts']),
  });
}

export function useDeleteAccount(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete(`/accounts/${id}`),
    onSuccess: () => {
      queries.removeQueries({ queryKey: ['accounts', 'one', id] });
      reread(queries, []);
    },
  });
}
