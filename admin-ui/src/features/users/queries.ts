import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { UserList } from '@/api/types';

export const usersQuery = (query: { search?: string; limit: number }) =>
  queryOptions({
    queryKey: ['users', query],
    queryFn: ({ signal }) => api.get<UserList>('/users', { query, signal }),
    placeholderData: keepPreviousData,
  });
