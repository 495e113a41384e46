import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { Invitation, InvitationCreate, InvitationList, InvitationResent } from '@/api/types';

export const invitationsQuery = (query: { status_filter?: Invitation['status']; account_id?: string; page?: number; page_size?: number }) =>
  queryOptions({
    queryKey: ['invitations', query],
    queryFn: ({ signal }) => api.get<InvitationList>('/invitations', { query, signal }),
    placeholderData: keepPreviousData,
  });

export function useInvite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: InvitationCreate) => api.post<Invitation>('/invitations', input),
    onSuccess: () => reread(queries, ['invitations']),
  });
}

export function useResend() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<InvitationResent>(`/invitations/${id}/resend`, undefined),
    onSuccess: () => reread(queries, ['invitations']),
  });
}

export function useCancelInvitation() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`/invitations/${id}`),
    onSuccess: () => reread(queries, ['invitations']),
  });
}
