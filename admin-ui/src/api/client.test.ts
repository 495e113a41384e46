import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoginResponse } from './types';

const login = (token: string, refresh: string) =>
  ({ token, refresh_token: refresh, expires_in: 3600, user: { id: 'u', email: 'a@b.co' } }) as unknown as LoginResponse;

const answer = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

/** A server with one valid bearer; it notes what it was asked. */
function fakeServer() {
  const state = { valid: 'new', refreshes: true, calls: [] as string[] };
  const fetchMock = vi.fn((url: string, init: RequestInit) => {
    const bearer = (init.headers as Record<string, string>).Authorization ?? '';
    state.calls.push(`${url} ${bearer}`);
    if (url.endsWith('/auth/refresh')) {
      return Promise.resolve(state.refreshes ? answer(200, login('new', 'r2')) : answer(401, { message: 'over' }));
    }
    return Promise.resolve(bearer === `Bearer ${state.valid}` ? answer(200, { ok: true }) : answer(401, { message: 'no' }));
  });
  vi.stubGlobal('fetch', fetchMock);
  return state;
}

describe('client', () => {
  beforeEach(() => {
    vi.resetModules();
    const store = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => store.get(key) ?? null,
      setItem: (key: string, value: string) => store.set(key, value),
      removeItem: (key: string) => store.delete(key),
    });
  });

  const load = async () => ({ ...(await import('./client')), ...(await import('./session')) });

  it('refreshes once for many refused requests and sends them again', async () => {
    const server = fakeServer();
    const { api, session } = await load();
    session.signIn(login('old', 'r1'));
    await expect(Promise.all([api.get('/a'), api.get('/b'), api.get('/c')])).resolves.toHaveLength(3);
    expect(server.calls.filter((call) => call.includes('/auth/refresh'))).toHaveLength(1);
    expect(session.current()).toMatchObject({ token: 'new', refreshToken: 'r2', email: 'a@b.co' });
  });

  it('waits for a new sign-in when the session is over, then goes on', async () => {
    const server = fakeServer();
    server.refreshes = false;
    const { api, session } = await load();
    session.signIn(login('old', 'r1'));
    const waiting = api.post('/records/posts', { title: 'typed' });
    await vi.waitFor(() => expect(session.expired()).toBe(true));
    session.signIn(login('new', 'r3'));
    await expect(waiting).resolves.toEqual({ ok: true });
  });

  it('fails when the person signs out instead', async () => {
    const server = fakeServer();
    server.refreshes = false;
    const { api, session } = await load();
    session.signIn(login('old', 'r1'));
    const waiting = api.get('/a');
    await vi.waitFor(() => expect(session.expired()).toBe(true));
    session.signOut();
    await expect(waiting).rejects.toMatchObject({ status: 401 });
  });

  it('takes over what another tab has refreshed', async () => {
    const server = fakeServer();
    const { api, session } = await load();
    session.signIn(login('old', 'r1'));
    localStorage.setItem('snackbase.session', JSON.stringify({ ...session.current(), token: 'new' }));
    await expect(api.get('/a')).resolves.toEqual({ ok: true });
    expect(server.calls.some((call) => call.includes('/auth/refresh'))).toBe(false);
  });

  it('sends sign-in without a bearer and does not retry it', async () => {
    const server = fakeServer();
    const { api, session } = await load();
    session.signIn(login('old', 'r1'));
    await expect(api.post('/auth/login', {}, { anonymous: true })).rejects.toMatchObject({ status: 401, message: 'no' });
    expect(server.calls).toEqual(['/api/v1/auth/login ']);
  });
});
