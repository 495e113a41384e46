/** The signed-in session: kept in localStorage, shared between tabs, readable without React. */
import { useSyncExternalStore } from 'react';
import type { LoginResponse } from './types';

export interface Session {
  token: string;
  refreshToken: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  userId: string;
  email: string;
}

const KEY = 'snackbase.session';
const listeners = new Set<() => void>();

interface State {
  session: Session | null;
  /** True while the stored session was refused and the person has to prove themselves again. */
  expired: boolean;
}

function read(): Session | null {
  try {
    const raw = localStorage.getItem(KEY);
    return raw === null ? null : (JSON.parse(raw) as Session);
  } catch {
    return null;
  }
}

let state: State = { session: read(), expired: false };

function set(next: State): void {
  state = next;
  for (const listener of listeners) listener();
}

function store(session: Session | null): void {
  if (session) localStorage.setItem(KEY, JSON.stringify(session));
  else localStorage.removeItem(KEY);
  set({ session, expired: false });
}

// Another tab signed in, refreshed or signed out.
if (typeof window !== 'undefined') {
  window.addEventListener('storage', (event) => {
    if (event.key === KEY) set({ session: read(), expired: false });
  });
}

export const session = {
  current: (): Session | null => state.session,
  expired: (): boolean => state.expired,
  /** What another tab may have stored a moment ago. */
  stored: read,
  signIn(login: LoginResponse): void {
    store({
      token: login.token,
      refreshToken: login.refresh_token,
      expiresAt: Date.now() + login.expires_in * 1000,
      userId: login.user.id,
      email: login.user.email,
    });
  },
  adopt(stored: Session): void {
    store(stored);
  },
  renew(tokens: { token: string; refresh_token: string; expires_in: number }): void {
    if (!state.session) return;
    store({
      ...state.session,
      token: tokens.token,
      refreshToken: tokens.refresh_token,
      expiresAt: Date.now() + tokens.expires_in * 1000,
    });
  },
  signOut(): void {
    store(null);
  },
  markExpired(): void {
    if (state.session && !state.expired) set({ ...state, expired: true });
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

export function useSession(): State {
  return useSyncExternalStore(session.subscribe, () => state);
}
