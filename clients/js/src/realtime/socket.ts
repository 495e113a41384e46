import type { SnackBaseError } from '../errors.js';
import { delay, onWake } from '../wake.js';
import type { Frame } from './frames.js';

/** The part of the browser's WebSocket that is used; the `ws` package has it, too. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocket;

/**
 * `idle`: nothing to listen to, or nobody is signed in. `waiting`: the connection broke and is made again after a pause.
 *
 * ```text
 * idle ─► connecting ─► open
 *  ▲          ▲  │       │
 *  │          │  ▼       │
 *  └────────  waiting ◄──┘      any ─► closed
 * ```
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** Where tokens come from, as the connection needs it. */
export interface TokenSource {
  token(): Promise<string | null>;
  /** Checks with the server whether `token` is still accepted; resolves to a good one, or null. */
  verify(token: string): Promise<string | null>;
}

interface Handlers {
  opened(): void;
  received(frame: Frame): void;
  lost(): void;
  changed(state: ConnectionState): void;
  /** No credential is accepted. */
  refused(): void;
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 15_000;
/** How long a handshake may take. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Silence after which the client asks whether the server is there. Its heartbeat is shorter. */
const MAX_SILENCE_MS = 45_000;
/** How long the response to that question may take. */
const PONG_TIMEOUT_MS = 8_000;

/** A connection that ends sooner counts as a failed attempt. */
const STABLE_AFTER_MS = 5_000;

const TOKEN_EXPIRED = 4401;
const POLICY_VIOLATION = 1008;

/** One connection that is made again whenever it breaks. */
export class Socket {
  #state: ConnectionState = 'idle';
  #socket: WebSocket | undefined;
  #token: string | undefined;
  /** Whether a token was sent that the server has not answered yet. */
  #isRenewing = false;
  #attempt = 0;
  #failures = 0;
  #openedAt = 0;
  /** Reconnect, handshake or silence: only one of them is waited for at a time. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #stopWake: () => void;

  constructor(
    private readonly url: string,
    private readonly source: TokenSource,
    private readonly WebSocketClass: WebSocketClass,
    private readonly handlers: Handlers,
  ) {
    this.#stopWake = onWake(() => this.#probe());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects unless that is done or under way. */
  open(): void {
    if (this.#state === 'idle') void this.#connect();
  }

  /** Sends if the connection is open; otherwise the message is dropped, and `opened` is the time to send it again. */
  send(message: object): void {
    if (this.#state === 'open') this.#socket?.send(JSON.stringify(message));
  }

  /** Hands the current token to the server without reconnecting. The server takes only tokens of the same user. */
  async renew(): Promise<void> {
    const token = await this.source.token().catch(() => null);
    if (this.#state !== 'open' || !token || token === this.#token) return;
    this.#token = token;
    this.#isRenewing = true;
    this.send({ action: 'auth', token });
  }

  /** Ends the connection and makes another one, for another user or a token that was not accepted. */
  reconnect(): void {
    if (this.#state === 'closed') return;
    const wasOpen = this.#state === 'open';
    this.#drop();
    this.#setState('idle');
    if (wasOpen) this.handlers.lost();
    this.open();
  }

  close(): void {
    this.#stopWake();
    this.#drop();
    this.#setState('closed');
  }

  async #connect(): Promise<void> {
    const attempt = (this.#attempt += 1);
    this.#setState('connecting');
    let token: string | null;
    try {
      token = await this.source.token();
    } catch {
      if (attempt === this.#attempt && this.#state === 'connecting') this.#retry();
      return;
    }
    if (attempt !== this.#attempt || this.#state !== 'connecting') return;
    if (!token) {
      this.#setState('idle');
      return;
    }
    this.#token = token;
    // A header cannot be set here, and URLs end up in logs: the token goes as one of the offered protocols.
    const socket = new this.WebSocketClass(this.url, ['snackbase', token]);
    this.#socket = socket;
    this.#watch(CONNECT_TIMEOUT_MS, () => void this.#lost(socket));
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#openedAt = Date.now();
      this.#setState('open');
      this.#listen();
      this.handlers.opened();
      // There may be a newer token since the handshake began.
      void this.renew();
    };
    socket.onmessage = ({ data }: MessageEvent) => {
      if (this.#socket !== socket) return;
      this.#listen();
      const frame = parse(data);
      if (frame && !this.#isAboutToken(frame)) this.handlers.received(frame);
    };
    // Node 22 tells a refused connection by `error` alone.
    socket.onerror = () => void this.#lost(socket);
    socket.onclose = ({ code }: CloseEvent) => void this.#lost(socket, code);
  }

  async #lost(socket: WebSocket, code?: number): Promise<void> {
    if (this.#socket !== socket) return;
    const token = this.#token ?? '';
    const wasOpen = this.#state === 'open';
    if (wasOpen && Date.now() - this.#openedAt > STABLE_AFTER_MS) this.#failures = 0;
    this.#drop();
    this.#setState('waiting');
    if (wasOpen) this.handlers.lost();
    // A refused handshake shows no status: only a request tells an outage from a session that ended.
    if (!wasOpen || code === TOKEN_EXPIRED || code === POLICY_VIOLATION) {
      if (!(await this.#isAccepted(token))) return;
    }
    this.#retry();
  }

  /** Takes the answer to a new token. One that is refused, because the user is another one, takes a new connection. */
  #isAboutToken(frame: Frame): boolean {
    const isAccepted = frame.type === 'authenticated';
    if (!this.#isRenewing || (!isAccepted && (frame.type ?? frame.ref ?? frame.room ?? frame.collection))) return false;
    this.#isRenewing = false;
    if (!isAccepted) this.reconnect();
    return true;
  }

  /** Whether it makes sense to connect again; otherwise the connection rests. */
  async #isAccepted(token: string): Promise<boolean> {
    try {
      if (await this.source.verify(token)) return this.#state === 'waiting';
    } catch (error) {
      if ((error as SnackBaseError).status !== 401) return this.#state === 'waiting';
    }
    if (this.#state === 'waiting') {
      this.#setState('idle');
      this.handlers.refused();
    }
    return false;
  }

  #retry(): void {
    this.#setState('waiting');
    const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Chance spreads the clients of a server that has just come back.
    clearTimeout(this.#timer);
    // Unlike the other timers, this one keeps a program running that does nothing but listen.
    this.#timer = setTimeout(() => void this.#connect(), longest * (0.5 + Math.random() / 2));
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#isRenewing = false;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #watch(milliseconds: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = delay(milliseconds, action);
  }

  #listen(): void {
    this.#watch(MAX_SILENCE_MS, () => this.#probe());
  }

  /** Asks whether the server is still there; after a pause, connects at once. */
  #probe(): void {
    const socket = this.#socket;
    if (this.#state === 'open' && socket) {
      this.send({ action: 'ping' });
      this.#watch(PONG_TIMEOUT_MS, () => void this.#lost(socket));
    } else if (this.#state === 'waiting' && this.#timer) {
      this.#watch(0, () => void this.#connect());
    }
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.handlers.changed(state);
  }
}

function parse(data: unknown): Frame | undefined {
  try {
    return JSON.parse(String(data)) as Frame;
  } catch {
    return undefined;
  }
}
