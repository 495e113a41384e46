import { SnackBaseError } from './errors.js';

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** Query parameters; those that are undefined are left out. */
  query?: Record<string, string | number | boolean | undefined>;
  signal?: AbortSignal;
  /** Milliseconds until the request fails with the code `timeout`; 30,000 by default. */
  timeout?: number;
}

/** Supplies the credential of each request. */
export interface Credentials {
  /** The access token or API key to send; null for none. */
  token(): Promise<string | null>;
  /** Called when the server refused `token`; resolves to another one, or null if there is none. */
  replace(token: string): Promise<string | null>;
}

const REQUEST_TIMEOUT_MS = 30_000;

/** Sends requests to one server and turns failures into `SnackBaseError`. */
export class Http {
  constructor(
    readonly url: string,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  /**
   * Sends a request to a path below `/api/v1/` and returns the JSON of the response body, or undefined if it is empty.
   * A refused token is replaced once.
   */
  async send<T>(method: string, path: string, options: RequestOptions = {}, credentials?: Credentials): Promise<T> {
    let token = (await credentials?.token()) ?? null;
    let response = await this.#fetch(method, path, options, token);
    if (response.status === 401 && token && credentials) {
      token = await credentials.replace(token);
      if (token) response = await this.#fetch(method, path, options, token);
    }
    if (response.status < 400) return response.body as T;
    throw SnackBaseError.fromResponse(response.status, response.body);
  }

  async #fetch(method: string, path: string, options: RequestOptions, token: string | null) {
    const url = new URL(`/api/v1/${path}`, this.url);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = {};
    if (options.body !== undefined) headers['Content-Type'] = 'application/json';
    if (token) headers.Authorization = `Bearer ${token}`;
    const limit = AbortSignal.timeout(options.timeout ?? REQUEST_TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
    try {
      const body = options.body === undefined ? null : JSON.stringify(options.body);
      const response = await this.fetch(url.href, { method, headers, body, signal });
      return { status: response.status, body: parse(await response.text()) };
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      const code = limit.aborted ? 'timeout' : 'network';
      throw new SnackBaseError(`${method} ${url.pathname}: no response (${code})`, { code, cause });
    }
  }
}

/** The body of a proxy's error page is not JSON. */
function parse(text: string): unknown {
  try {
    return text ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return { message: text.slice(0, 200) };
  }
}
