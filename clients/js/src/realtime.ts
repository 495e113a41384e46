import type { Auth } from './auth.js';
import { SnackBaseError } from './errors.js';
import type { Http } from './http.js';
import type { Frame } from './realtime/frames.js';
import { LiveQuery, type LiveQueryOptions } from './realtime/live-query.js';
import { Room, type RoomOptions } from './realtime/room.js';
import { type ConnectionState, Socket, type WebSocketClass } from './realtime/socket.js';
import { Subscription, type SubscribeOptions, type SubscriptionHandlers } from './realtime/subscription.js';

type AnyQuery = LiveQuery<{ id: string }>;

/** One connection with any number of subscriptions, live queries and rooms. It is made when the first of them is. */
export class Realtime {
  #socket: Socket | undefined;
  #user: string | undefined;
  readonly #subscriptions = new Map<string, Subscription<never>>();
  readonly #queries = new Set<AnyQuery>();
  readonly #rooms = new Map<string, Room>();
  readonly #requests = new Map<string, { done: () => void; failed: (error: SnackBaseError) => void }>();
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  #lastRef = 0;

  /** @internal */
  constructor(
    private readonly http: Http,
    private readonly auth: Auth,
    private readonly webSocketClass: WebSocketClass | undefined,
  ) {
    auth.onToken(() => this.#tokenChanged());
  }

  get state(): ConnectionState {
    return this.#socket?.state ?? 'idle';
  }

  /** Calls `listener` after each change of `state`. Returns how to stop that. */
  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the connection and everything on it. */
  close(): void {
    this.#failAll(new SnackBaseError('the client was closed', { code: 'closed' }));
    this.#socket?.close();
  }

  /** @internal */
  subscribe<T>(collection: string, options: SubscribeOptions, handlers: SubscriptionHandlers<T>): Subscription<T> {
    const socket = this.#connect();
    const ref = this.#nextRef();
    const channel = {
      send: (message: object) => socket.send(message),
      forget: () => this.#subscriptions.delete(ref),
    };
    const subscription = new Subscription(channel, ref, collection, options, handlers);
    this.#subscriptions.set(ref, subscription as unknown as Subscription<never>);
    socket.open();
    return subscription;
  }

  /** @internal */
  liveQuery<T extends { id: string }>(collection: string, options: LiveQueryOptions): LiveQuery<T> {
    const query: LiveQuery<T> = new LiveQuery<T>(
      (wanted, handlers) => this.subscribe(collection, wanted, handlers),
      options,
      () => this.#queries.delete(query as unknown as AnyQuery),
    );
    this.#queries.add(query as unknown as AnyQuery);
    return query;
  }

  /** @internal */
  room(name: string, options: RoomOptions): Room {
    const socket = this.#connect();
    const channel = {
      send: (message: object) => socket.send(message),
      request: (message: object) => this.#request(message),
      forget: () => this.#rooms.delete(name),
    };
    const room = new Room(channel, name, options);
    this.#rooms.set(name, room);
    socket.open();
    return room;
  }

  #connect(): Socket {
    if (this.#socket) return this.#socket;
    const WebSocketClass = this.webSocketClass ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
    if (!WebSocketClass) {
      throw new TypeError('This runtime has no WebSocket: pass that of the `ws` package as the option `WebSocket`');
    }
    const url = new URL('/api/v1/realtime/ws', this.http.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const { auth } = this;
    const source = {
      token: async () => {
        const token = await auth.token();
        this.#user = auth.user?.id;
        return token;
      },
      verify: async (token: string) => {
        const current = await auth.token();
        if (current !== token) return current;
        await this.http.send('GET', 'auth/me', {}, { token: async () => token, replace: (stale) => auth.replace(stale) });
        return auth.token();
      },
    };
    this.#socket = new Socket(url.href, source, WebSocketClass, {
      opened: () => this.#resume(),
      received: (frame) => this.#receive(frame),
      lost: () => this.#lost(),
      changed: (state) => {
        for (const listener of [...this.#listeners]) listener(state);
      },
      refused: () => {
        // A session that ended is told by `auth`; what is subscribed to waits for the next sign-in.
        if (auth.usesApiKey) this.#failAll(new SnackBaseError('the API key was refused', { status: 401, code: 'unauthenticated' }));
      },
    });
    return this.#socket;
  }

  #tokenChanged(): void {
    const socket = this.#socket;
    if (!socket) return;
    const user = this.auth.user?.id;
    if (user === this.#user && user !== undefined && socket.state !== 'idle') {
      void socket.renew();
      return;
    }
    const before = this.#user;
    this.#user = user;
    if (this.#subscriptions.size + this.#rooms.size > 0 || socket.state !== 'idle') socket.reconnect();
    if (before === undefined) return;
    for (const query of this.#queries) query.clear();
    for (const subscription of this.#subscriptions.values()) subscription.reset();
  }

  #resume(): void {
    for (const subscription of this.#subscriptions.values()) subscription.start();
    for (const room of this.#rooms.values()) room.join();
  }

  #lost(): void {
    for (const query of this.#queries) query.disconnected();
    this.#failRequests(new SnackBaseError('the connection broke before the response', { code: 'network' }));
  }

  #receive(frame: Frame): void {
    if (frame.type === 'checkpoint' && typeof frame.cursor === 'string' && frame.ref === undefined) {
      for (const subscription of this.#subscriptions.values()) subscription.passed(frame.cursor);
      return;
    }
    const { ref, room } = frame;
    const request = ref === undefined ? undefined : this.#requests.get(ref);
    if (ref !== undefined && request) {
      this.#requests.delete(ref);
      if (frame.type === undefined) request.failed(SnackBaseError.fromFrame(frame));
      else request.done();
    } else if (ref !== undefined) {
      this.#subscriptions.get(ref)?.receive(frame);
    } else if (typeof room === 'string') {
      this.#rooms.get(room)?.receive(frame);
    }
  }

  #request(message: object): Promise<void> {
    if (!this.#socket || this.#socket.state !== 'open') {
      return Promise.reject(new SnackBaseError('there is no connection', { code: 'network' }));
    }
    const ref = this.#nextRef();
    return new Promise((done, failed) => {
      this.#requests.set(ref, { done, failed });
      this.#socket?.send({ ...message, ref });
    });
  }

  #failRequests(error: SnackBaseError): void {
    for (const request of this.#requests.values()) request.failed(error);
    this.#requests.clear();
  }

  #failAll(error: SnackBaseError): void {
    this.#failRequests(error);
    for (const subscription of [...this.#subscriptions.values()]) subscription.fail(error);
    for (const room of [...this.#rooms.values()]) room.fail(error);
  }

  #nextRef(): string {
    this.#lastRef += 1;
    return String(this.#lastRef);
  }
}
