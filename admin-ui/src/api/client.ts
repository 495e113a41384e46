/** The one place that talks to the network: bearer, refresh on 401, one error type. */
import { ApiError, parseError } from './errors';
import { session } from './session';

export const API = '/api/v1';

type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** Sign-in, set-up and refresh go without a bearer and are never retried. */
  anonymous?: boolean;
}

function url(path: string, query?: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** Begins the correlation id of every request of this UI, which tells them from those of applications. */
export const UI_CORRELATION = 'ui-';

function correlationId(): string {
  return UI_CORRELATION + Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Correlation-ID': correlationId() };
  const token = session.current()?.token;
  if (!options.anonymous && token) headers.Authorization = `Bearer ${token}`;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(url(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError({ status: 0, message: 'The server cannot be reached. Check that it is running.' });
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  try {
    return isJson ? ((await response.json()) as unknown) : await response.text();
  } catch {
    return undefined;
  }
}

let refreshing: Promise<boolean> | null = null;

async function renew(): Promise<boolean> {
  const current = session.current();
  const stored = session.stored();
  if (!current) return false;
  if (stored && stored.token !== current.token) {
    session.adopt(stored);
    return true;
  }
  const response = await send('POST', `${API}/auth/refresh`, {
    anonymous: true,
    body: { refresh_token: current.refreshToken },
  });
  if (response.ok) {
    session.renew((await response.json()) as { token: string; refresh_token: string; expires_in: number });
    return true;
  }
  if (response.status === 401 || response.status === 400 || response.status === 422) return false;
  throw parseError(response.status, await bodyOf(response), response.headers.get('x-correlation-id'));
}

/** Refreshes at most once at a time, however many requests were refused. */
function refresh(): Promise<boolean> {
  refreshing ??= renew().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** Resolves to true after a new sign-in, to false when the person signs out instead. */
function signedInAgain(signal?: AbortSignal): Promise<boolean> {
  session.markExpired();
  return new Promise((resolve) => {
    const stop = session.subscribe(() => {
      if (session.expired()) return;
      stop();
      resolve(session.current() !== null);
    });
    signal?.addEventListener('abort', () => {
      stop();
      resolve(false);
    });
  });
}

async function authorised(method: string, path: string, options: Options): Promise<Response> {
  // A session that is known to be over waits for the dialog instead of failing once more.
  if (session.expired() && !(await signedInAgain(options.signal))) throw new ApiError({ status: 401, message: 'Signed out.' });
  const used = session.current()?.token;
  const response = await send(method, path, options);
  if (response.status !== 401 || !used) return response;
  const replaced = session.current()?.token !== used;
  if (replaced || (await refresh()) || (await signedInAgain(options.signal))) return send(method, path, options);
  return response;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = options.anonymous ? await send(method, path, options) : await authorised(method, path, options);
  const body = await bodyOf(response);
  if (!response.ok) throw parseError(response.status, body, response.headers.get('x-correlation-id'));
  return body as T;
}

/** An answer as it came, whatever its status. */
export interface Exchange {
  status: number;
  /** From sending until all of it was there. */
  milliseconds: number;
  correlationId: string | null;
  body: unknown;
}

/** For trying a request: a refusal is an answer like any other. */
export async function exchange(method: string, path: string, options: Options = {}): Promise<Exchange> {
  const start = performance.now();
  const response = await authorised(method, path, options);
  const body = await bodyOf(response);
  return { status: response.status, milliseconds: performance.now() - start, correlationId: response.headers.get('x-correlation-id'), body };
}

export const api = {
  get: <T>(path: string, options?: Options) => request<T>('GET', API + path, options),
  post: <T>(path: string, body: unknown, options?: Options) => request<T>('POST', API + path, { ...options, body }),
  put: <T>(path: string, body: unknown, options?: Options) => request<T>('PUT', API + path, { ...options, body }),
  patch: <T>(path: string, body: unknown, options?: Options) => request<T>('PATCH', API + path, { ...options, body }),
  delete: <T>(path: string, options?: Options) => request<T>('DELETE', API + path, options),
};

/** A bearer that lasts at least another minute: a WebSocket cannot be retried with a new one half-way. */
export async function freshToken(): Promise<string | null> {
  const current = session.current();
  if (!current) return null;
  if (current.expiresAt - Date.now() < 60_000 && !(await refresh())) session.markExpired();
  return session.expired() ? null : (session.current()?.token ?? null);
}
