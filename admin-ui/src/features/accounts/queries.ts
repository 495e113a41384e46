import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { AccountList } from '@/api/types';

export const accountsQuery = (query: { search?: string; page?: number; page_size?: number }) =>
  queryOptions({
    queryKey: ['accounts', query],
    queryFn: ({ signal }) => api.get<AccountList>('/accounts', { query, signal }),
    placeholderData: keepPreviousData,
  });
