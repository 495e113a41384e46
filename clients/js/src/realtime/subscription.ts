import { SnackBaseError } from '../errors.js';
import { delay } from '../wake.js';
import type { Frame, Operation, RecordEvent, ResyncReason } from './frames.js';

/** What a subscription asks for; the server evaluates all of it. */
export interface SubscribeOptions {
  /** Only these operations; all of them by default. */
  operations?: Operation[];
  /** One record: the collection's view rule decides, not its list rule. */
  record?: string;
  /** In the language of REST filters. */
  filter?: string;
  /** Only these fields, and the system's. */
  fields?: string[];
  /** References in whose place their records are shown, as in `author.country`. */
  expand?: string[];
  /** Resume after this cursor: the missed events come first. */
  since?: string;
  /** Send the current records first. */
  snapshot?: boolean;
  /** The order of the snapshot. */
  sort?: string;
  /** Upper limit of records in the snapshot, at most 1,000. */
  limit?: number;
  /** Add the values before the change to events. */
  old?: boolean;
  /** Superadmins only: an account by id, code or slug, or `*`. */
  account?: string;
}

/** Called as frames of one subscription arrive. Each one is optional. */
export interface SubscriptionHandlers<T> {
  event?(event: RecordEvent<T>): void;
  /** A snapshot begins, maybe again: forget what came of it before. */
  begin?(): void;
  /** A page of the snapshot. The last one tells whether there are more records than were asked for. */
  snapshot?(items: T[], hasMore: boolean): void;
  /** The snapshot or the missed events are complete; what follows is live. */
  live?(): void;
  /** Forget what was received so far and fetch it again. Events after this moment follow. */
  resync?(reason: ResyncReason): void;
  /** The subscription was refused, or ended by the server. */
  error?(error: SnackBaseError): void;
}

/** The subscription's way to the server. */
export interface Channel {
  send(message: object): void;
  forget(ref: string): void;
}

/** Refusals after which the subscription is asked for again. */
const TEMPORARY_CODES = ['rate_limited', 'unavailable'];
const RETRY_MS = 1_000;
/** How long a change may take from the response of its request to its event before the server is asked for it. */
const EVENT_DELAY_MS = 1_000;

/** One subscription: it survives breaks of the connection without a gap and without a repeat. */
export class Subscription<T> {
  #cursor: string | undefined;
  /** Whether everything up to the cursor was received, so that the subscription can resume there. */
  #isComplete: boolean;
  /** Subscribe messages without an acknowledgement. Frames that arrive meanwhile belong to an earlier one. */
  #pending = 0;
  /** Whether missed events are being sent: a checkpoint of the connection is ahead of them. */
  #isReplaying = false;
  #hasEnded = false;
  #lastFrame: Frame | undefined;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(
    private readonly channel: Channel,
    private readonly ref: string,
    readonly collection: string,
    private readonly options: SubscribeOptions,
    private readonly handlers: SubscriptionHandlers<T>,
  ) {
    this.#cursor = options.since;
    this.#isComplete = !options.snapshot;
    this.#subscribe();
  }

  /** The last position that was received. Kept somewhere, it can be given as `since` after a reload. */
  get cursor(): string | undefined {
    return this.#isComplete ? this.#cursor : undefined;
  }

  unsubscribe(): void {
    if (this.#hasEnded) return;
    this.#end();
    this.channel.send({ action: 'unsubscribe', collection: this.collection, ref: this.ref });
  }

  /** Starts over, with a snapshot if there was one. */
  restart(): void {
    this.#cursor = undefined;
    this.#isComplete = !this.options.snapshot;
    this.#subscribe();
  }

  /**
   * Resolves when everything that was committed before the call has been received: `isVisible` says that the change in
   * question arrived; if it does not, because the subscription does not see it, the server is asked to catch up.
   */
  async caughtUp(isVisible: () => boolean = () => false): Promise<void> {
    let isDue = false;
    const timer = delay(EVENT_DELAY_MS, () => {
      isDue = true;
      if (this.cursor) this.#subscribe();
    });
    while (!this.#hasEnded && !isVisible()) {
      const frame = await new Promise<Frame | undefined>((done) => {
        this.#waiting.push(() => done(this.#lastFrame));
      });
      if (isDue && (frame?.type === 'replayed' || frame?.type === 'live')) break;
    }
    clearTimeout(timer);
  }

  /** @internal Subscribes again on a new connection. */
  start(): void {
    this.#pending = 0;
    this.#subscribe();
  }

  /** @internal The user is another one: nothing that was received holds for this one. */
  reset(): void {
    this.#cursor = undefined;
    this.#isComplete = !this.options.snapshot;
    this.handlers.resync?.('access');
  }

  /** @internal */
  receive(frame: Frame): void {
    if (this.#hasEnded) return;
    if (this.#pending > 0) {
      if (frame.type !== undefined && frame.type !== 'subscribed') return;
      this.#pending -= 1;
      if (this.#pending > 0) return;
    }
    this.#lastFrame = frame;
    this.#handle(frame);
    for (const done of this.#waiting.splice(0)) done();
  }

  /** @internal The log moved on, without a change for this subscription. */
  passed(cursor: string): void {
    if (this.#isComplete && !this.#isReplaying && this.#pending === 0) this.#cursor = cursor;
  }

  #handle(frame: Frame): void {
    switch (frame.type) {
      case 'subscribed':
        if (!this.#isComplete) this.handlers.begin?.();
        else if (this.#cursor === undefined) {
          this.#cursor = text(frame.cursor);
          this.handlers.live?.();
        }
        break;
      case 'snapshot':
        this.handlers.snapshot?.(frame.items as T[], frame.has_more === true);
        break;
      case 'live':
      case 'replayed':
        this.#isComplete = true;
        this.#isReplaying = false;
        this.#cursor = text(frame.cursor) ?? this.#cursor;
        this.handlers.live?.();
        break;
      case 'resync':
        this.#isReplaying = false;
        this.#cursor = text(frame.cursor) ?? this.#cursor;
        this.handlers.resync?.(frame.reason as ResyncReason);
        break;
      case 'unsubscribed':
        break;
      case undefined:
        if (TEMPORARY_CODES.includes(frame.code ?? '')) delay(RETRY_MS * (1 + Math.random()), () => this.#subscribe());
        else this.fail(SnackBaseError.fromFrame(frame));
        break;
      default: {
        const event = frame as unknown as RecordEvent<T>;
        if (event.cursor === undefined) break;
        this.#cursor = event.cursor;
        this.handlers.event?.(event);
      }
    }
  }

  /** @internal */
  fail(error: SnackBaseError): void {
    if (this.#hasEnded) return;
    this.#end();
    this.handlers.error?.(error);
  }

  #end(): void {
    this.#hasEnded = true;
    this.channel.forget(this.ref);
    for (const done of this.#waiting.splice(0)) done();
  }

  #subscribe(): void {
    if (this.#hasEnded) return;
    const { since: _, snapshot, ...rest } = this.options;
    const isResuming = this.#isComplete && this.#cursor !== undefined;
    this.#isReplaying = isResuming;
    this.#pending += 1;
    const start = isResuming ? { since: this.#cursor } : { snapshot };
    this.channel.send({ action: 'subscribe', ref: this.ref, collection: this.collection, ...rest, ...start });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
