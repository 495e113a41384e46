// What an application holds: one client, one connection, any number of subscriptions and rooms.

import { LiveQuery, type LiveQueryOptions } from './live-query.js';
import type { Frame, SubscribeOptions, SystemFields } from './protocol.js';
import { RealtimeError } from './protocol.js';
import { Room, type RoomOptions } from './room.js';
import { Socket, type ConnectionState, type TokenSource, type WebSocketClass } from './socket.js';
import { Subscription, type SubscriptionHandlers } from './subscription.js';

export interface RealtimeClientOptions {
  /** Where the server is, as in `https://api.example.com`. */
  url: string;
  /** Yields a valid access token. With the SDK: `() => sdk.getAccessToken()` or whatever keeps yours fresh. */
  token: TokenSource;
  /** For Node before version 22: the class of the `ws` package. */
  WebSocket?: WebSocketClass;
  /** Told of each change of the connection. */
  onState?: (state: ConnectionState) => void;
}

export class RealtimeClient {
  readonly #socket: Socket;
  readonly #subscriptions = new Map<string, Subscription<never>>();
  readonly #rooms = new Map<string, Room>();
  readonly #questions = new Map<string, { done: () => void; failed: (error: RealtimeError) => void }>();
  #lastRef = 0;

  constructor(options: RealtimeClientOptions) {
    const WebSocketClass = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
    if (!WebSocketClass) {
      throw new TypeError('There is no WebSocket here: give the class of the `ws` package as the option `WebSocket`');
    }
    const url = new URL('/api/v1/realtime/ws', options.url);
    url.protocol = url.protocol.replace('http', 'ws');
    this.#socket = new Socket(url.href, options.token, WebSocketClass, {
      opened: () => this.#resume(),
      received: (frame) => this.#receive(frame),
      lost: () => this.#fail(new RealtimeError('the connection broke before the answer', 'disconnected')),
      changed: (state) => options.onState?.(state),
    });
  }

  /** How the connection is. */
  get state(): ConnectionState {
    return this.#socket.state;
  }

  /** Tells of changes of a collection, or of one record. */
  subscribe<T = SystemFields & Record<string, unknown>>(
    collection: string,
    options: SubscribeOptions,
    handlers: SubscriptionHandlers<T>,
  ): Subscription<T> {
    const ref = this.#nextRef();
    const line = {
      send: (message: object) => this.#socket.send(message),
      forget: () => this.#subscriptions.delete(ref),
    };
    const subscription = new Subscription(line, ref, collection, options, handlers);
    this.#subscriptions.set(ref, subscription as unknown as Subscription<never>);
    this.#socket.open();
    return subscription;
  }

  /** Keeps an array of the records that fit, in order. */
  liveQuery<T extends { id: string } = SystemFields & Record<string, unknown>>(
    collection: string,
    options: LiveQueryOptions = {},
  ): LiveQuery<T> {
    return new LiveQuery<T>((subscribe, handlers) => this.subscribe(collection, subscribe, handlers), options);
  }

  /** Enters a room. Entering it again replaces the handlers. */
  room(name: string, options: RoomOptions = {}): Room {
    const line = {
      send: (message: object) => this.#socket.send(message),
      ask: (message: object) => this.#ask(message),
      leave: () => this.#rooms.delete(name),
    };
    const room = new Room(line, name, options);
    this.#rooms.set(name, room);
    this.#socket.open();
    return room;
  }

  /** Hands a fresh token to the server, for instance after the user's roles have changed. */
  renew(): Promise<void> {
    return this.#socket.renew();
  }

  /** Ends everything; the client cannot be used again. */
  close(): void {
    this.#subscriptions.clear();
    this.#rooms.clear();
    this.#fail(new RealtimeError('the client was closed', 'closed'));
    this.#socket.close();
  }

  #resume(): void {
    for (const subscription of this.#subscriptions.values()) subscription.start();
    for (const room of this.#rooms.values()) room.join();
  }

  #receive(frame: Frame): void {
    if (frame.type === 'checkpoint' && typeof frame.cursor === 'string') {
      for (const subscription of this.#subscriptions.values()) subscription.passed(frame.cursor);
      return;
    }
    const { ref, room } = frame;
    const question = ref === undefined ? undefined : this.#questions.get(ref);
    if (ref !== undefined && question) {
      this.#questions.delete(ref);
      if (frame.type === undefined) question.failed(RealtimeError.of(frame));
      else question.done();
    } else if (ref !== undefined) {
      this.#subscriptions.get(ref)?.receive(frame);
    } else if (typeof room === 'string') {
      this.#rooms.get(room)?.receive(frame);
    }
  }

  #ask(message: object): Promise<void> {
    if (this.#socket.state !== 'open') {
      return Promise.reject(new RealtimeError('there is no connection', 'disconnected'));
    }
    const ref = this.#nextRef();
    return new Promise((done, failed) => {
      this.#questions.set(ref, { done, failed });
      this.#socket.send({ ...message, ref });
    });
  }

  #fail(error: RealtimeError): void {
    for (const question of this.#questions.values()) question.failed(error);
    this.#questions.clear();
  }

  #nextRef(): string {
    this.#lastRef += 1;
    return String(this.#lastRef);
  }
}
