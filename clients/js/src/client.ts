import { Auth } from './auth.js';
import type { SessionStorage } from './auth/session.js';
import { Http, type RequestOptions } from './http.js';
import type { SystemFields } from './realtime/frames.js';
import type { Room, RoomOptions } from './realtime/room.js';
import type { WebSocketClass } from './realtime/socket.js';
import { Realtime } from './realtime.js';
import { type Input, Records } from './records.js';

export interface SnackBaseOptions {
  /** For programs: authenticates every request instead of a sign-in. */
  apiKey?: string;
  /** Where the session is kept: `localStorage` in pages, memory elsewhere and for null. */
  storage?: SessionStorage | null;
  /** The class of the `ws` package, for runtimes without a WebSocket, such as Node 20. */
  WebSocket?: WebSocketClass;
  fetch?: typeof globalThis.fetch;
}

type Untyped = Record<string, SystemFields & Record<string, unknown>>;
type InputOf<R, I, K extends PropertyKey> = K extends keyof I ? I[K] : Partial<Input<R>>;

/**
 * A client of one server. `R` has the record types by collection, `I` what is sent to create one:
 * `new SnackBase<CollectionRecords, CollectionInputs>(url)` with the output of `snackbase types typescript`.
 */
export class SnackBase<R extends { [K in keyof R]: { id: string } } = Untyped, I = object> {
  readonly auth: Auth;
  readonly realtime: Realtime;
  readonly #http: Http;

  /** @param url Where the server is, as in `https://api.example.com`; by default where the page came from. */
  constructor(url?: string, options: SnackBaseOptions = {}) {
    const base = url ?? globalThis.location?.origin;
    if (!base) throw new TypeError('pass the URL of the server');
    const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#http = new Http(base.replace(/\/+$/, ''), fetch);
    this.auth = new Auth(this.#http, options.storage, options.apiKey);
    this.realtime = new Realtime(this.#http, this.auth, options.WebSocket);
  }

  get url(): string {
    return this.#http.url;
  }

  /** The records of one collection. */
  collection<K extends keyof R & string>(name: K): Records<R[K], InputOf<R[K], I, K>> {
    return new Records(name, this.#http, this.auth, this.realtime);
  }

  /** Enters a room; entering it again replaces the handlers. */
  room(name: string, options: RoomOptions = {}): Room {
    return this.realtime.room(name, options);
  }

  /** Sends a request to any path below `/api/v1/`, with the session's token: `send('GET', 'auth/sessions')`. */
  send<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
    return this.#http.send<T>(method, path, options, this.auth);
  }

  /** Ends the connection and all timers. The session is kept. */
  close(): void {
    this.realtime.close();
    this.auth.close();
  }
}
