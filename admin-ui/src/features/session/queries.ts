import { type QueryClient, queryOptions, useMutation } from '@tanstack/react-query';
import { api } from '@/api/client';
import { session } from '@/api/session';
import type { LoginRequest, LoginResponse, SetupRequest, SetupStatus } from '@/api/types';

export const setupStatus = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => api.get<SetupStatus>('/setup', { anonymous: true, signal }),
});

/** Superadmins live in the system account; nobody else has business here. */
export function useSignIn() {
  return useMutation({
    mutationFn: (form: { email: string; password: string }) =>
      api.post<LoginResponse>('/auth/login', { account: 'system', ...form } satisfies LoginRequest, { anonymous: true }),
    onSuccess: (login) => session.signIn(login),
  });
}

export function useSetUp() {
  return useMutation({
    mutationFn: (form: SetupRequest) => api.post<LoginResponse>('/setup', form, { anonymous: true }),
    onSuccess: (login) => session.signIn(login),
  });
}

/** Signing out succeeds locally whatever the server says. */
export async function signOut(queries: QueryClient): Promise<void> {
  const current = session.current();
  if (current && !session.expired()) {
    await api.post('/auth/logout', { refresh_token: current.refreshToken }).catch(() => undefined);
  }
  session.signOut();
  queries.clear();
}
