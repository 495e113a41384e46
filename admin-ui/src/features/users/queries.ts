import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { UserCreate, UserDetail, UserList, UserUpdate } from '@/api/types';

interface ListQuery {
  search?: string;
  account_id?: string;
  role_id?: number;
  is_active?: boolean;
  limit?: number;
  page?: number;
  page_size?: number;
  sort?: string;
}

export const usersQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ['users', 'list', query],
    queryFn: ({ signal }) => api.get<UserList>('/users', { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
  });

export const userQuery = (id: string) =>
  queryOptions({
    queryKey: ['users', 'one', id],
    queryFn: ({ signal }) => api.get<UserDetail>(`/users/${id}`, { signal }),
  });

export function useCreateUser() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: UserCreate) => api.post<UserDetail>('/users', input),
    onSuccess: () => reread(queries, ['users']),
  });
}

export function useUpdateUser(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: Partial<UserUpdate>) => api.patch<UserDetail>(`/users/${id}`, input),
    onSuccess: () => reread(queries, ['users']),
  });
}

export function useSetPassword(id: string) {
  return useMutation({
    mutationFn: (password: string) => api.put(`/users/${id}/password`, { new_password: password }),
  });
}

/** What needs no input; each is one request. */
export function useUserAction(id: string, action: 'verify' | 'resend-verification') {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.post(`/users/${id}/${action}`, undefined),
    onSuccess: () => reread(queries, ['users']),
  });
}

export function useDeleteUser(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete(`/users/${id}`),
    onSuccess: () => reread(queries, ['users']),
  });
}
