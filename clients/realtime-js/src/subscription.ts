// One subscription: it survives breaks of the connection without a gap and without a repeat.

import type { Frame, RecordEvent, ResyncReason, SubscribeOptions } from './protocol.js';
import { RealtimeError } from './protocol.js';

/** What happens to a subscription. Each one is optional. */
export interface SubscriptionHandlers<T> {
  event?(event: RecordEvent<T>): void;
  /** A snapshot begins, maybe anew: what came of it before is to be forgotten. */
  begin?(): void;
  /** Records of the snapshot; called once for each page. The last page tells whether there are more than were asked for. */
  snapshot?(items: T[], hasMore: boolean): void;
  /** The snapshot is complete, or what was missed has been replayed: from here on, events are live. */
  live?(): void;
  /** What was received so far is to be forgotten, and fetched anew. Events go on from now. */
  resync?(reason: ResyncReason): void;
  /** The server refused the subscription. */
  error?(error: RealtimeError): void;
}

/** The subscription's way to the server. */
export interface Line {
  send(message: object): void;
  forget(ref: string): void;
}

export class Subscription<T> {
  #cursor: string | undefined;
  /** Whether everything up to the cursor was received, so that it can be gone on from there. */
  #complete: boolean;
  #ended = false;

  /** @internal */
  constructor(
    private readonly line: Line,
    private readonly ref: string,
    readonly collection: string,
    private readonly options: SubscribeOptions,
    private readonly handlers: SubscriptionHandlers<T>,
  ) {
    this.#cursor = options.since;
    this.#complete = !options.snapshot;
    this.start();
  }

  /** The last position that was received; kept somewhere, it can be given as `since` after a reload. */
  get cursor(): string | undefined {
    return this.#complete ? this.#cursor : undefined;
  }

  unsubscribe(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.line.send({ action: 'unsubscribe', collection: this.collection, ref: this.ref });
    this.line.forget(this.ref);
  }

  /** Begins anew, with a snapshot if there was one. */
  restart(): void {
    this.#cursor = undefined;
    this.#complete = !this.options.snapshot;
    this.start();
  }

  /** @internal Says to the server what is wanted; again after each break. */
  start(): void {
    const { since: _, snapshot, ...rest } = this.options;
    const from = this.#complete && this.#cursor ? { since: this.#cursor } : { snapshot };
    this.line.send({ action: 'subscribe', ref: this.ref, collection: this.collection, ...rest, ...from });
  }

  /** @internal */
  receive(frame: Frame): void {
    switch (frame.type) {
      case 'subscribed':
        if (this.#complete) this.#cursor ??= text(frame.cursor);
        else this.handlers.begin?.();
        break;
      case 'snapshot':
        this.handlers.snapshot?.(frame.items as T[], frame.has_more === true);
        break;
      case 'live':
      case 'replayed':
        this.#complete = true;
        this.#cursor = text(frame.cursor) ?? this.#cursor;
        this.handlers.live?.();
        break;
      case 'resync':
        this.#cursor = text(frame.cursor) ?? this.#cursor;
        this.handlers.resync?.(frame.reason as ResyncReason);
        break;
      case 'unsubscribed':
        break;
      case undefined:
        this.#ended = true;
        this.line.forget(this.ref);
        this.handlers.error?.(RealtimeError.of(frame));
        break;
      default: {
        const event = frame as unknown as RecordEvent<T>;
        this.#cursor = event.cursor;
        this.handlers.event?.(event);
      }
    }
  }

  /** @internal The log went on, and nothing in it was for this subscription. */
  passed(cursor: string): void {
    if (this.#complete) this.#cursor = cursor;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
