import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { GroupCreate, GroupDetail, GroupPage, GroupUpdate } from '@/api/types';

interface ListQuery {
  search?: string;
  account_id?: string;
  page: number;
  page_size: number;
}

export const groupsQuery = (query: ListQuery) =>
  queryOptions({
    queryKey: ['groups', 'list', query],
    queryFn: ({ signal }) => api.get<GroupPage>('/groups', { query: { ...query }, signal }),
    placeholderData: keepPreviousData,
  });

export const groupQuery = (id: string) =>
  queryOptions({
    queryKey: ['groups', 'one', id],
    queryFn: ({ signal }) => api.get<GroupDetail>(`/groups/${id}`, { signal }),
  });

function useInvalidate() {
  const queries = useQueryClient();
  return () => reread(queries, ['groups'], ['users']);
}

export function useCreateGroup() {
  const onSuccess = useInvalidate();
  return useMutation({ mutationFn: (input: GroupCreate) => api.post<GroupDetail>('/groups', input), onSuccess });
}

export function useUpdateGroup(id: string) {
  const onSuccess = useInvalidate();
  return useMutation({ mutationFn: (input: GroupUpdate) => api.patch<GroupDetail>(`/groups/${id}`, input), onSuccess });
}

export function useDeleteGroup(id: string) {
  const onSuccess = useInvalidate();
  return useMutation({ mutationFn: () => api.delete(`/groups/${id}`), onSuccess });
}

export function useMembership(id: string) {
  const onSuccess = useInvalidate();
  return useMutation({
    mutationFn: ({ user, member }: { user: string; member: boolean }) =>
      member ? api.post(`/groups/${id}/users`, { user_id: user }) : api.delete(`/groups/${id}/users/${user}`),
    onSuccess,
  });
}
