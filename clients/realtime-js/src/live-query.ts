// An array that always holds what the list would return.

import { comparer, type Comparer } from './order.js';
import type { RealtimeError, RecordEvent, SubscribeOptions } from './protocol.js';
import type { Subscription, SubscriptionHandlers } from './subscription.js';

export interface LiveQueryOptions {
  /** In the language of REST filters. */
  filter?: string;
  /** As in REST; `-created_at` if it is left out. */
  sort?: string;
  /** Only these fields, and the system's. Name those of `sort`, too. */
  fields?: string[];
  /** References in whose place their records are shown; changes of those records alone are not told. */
  expand?: string[];
  /** Superadmins only: an account by id, code or slug, or `*`. */
  account?: string;
}

/** The most that the server lets a snapshot have. */
const LIMIT = 1_000;

type Listener<T> = (items: readonly T[]) => void;
type Subscribe<T> = (options: SubscribeOptions, handlers: SubscriptionHandlers<T>) => Subscription<T>;

export class LiveQuery<T extends { id: string }> {
  /** Resolves when the records are there for the first time; rejects if the query is refused. */
  readonly ready: Promise<readonly T[]>;

  #hasMore = false;
  #error: RealtimeError | undefined;
  #items: readonly T[] = [];
  #records = new Map<string, T>();
  /** The records of a snapshot that is under way: what was there before stays until it is complete. */
  #incoming: Map<string, T> | undefined = new Map();
  #planned = false;
  readonly #listeners = new Set<Listener<T>>();
  readonly #compare: Comparer<T>;
  readonly #subscription: Subscription<T>;
  #settle!: { done: (items: readonly T[]) => void; failed: (error: RealtimeError) => void };

  /** @internal */
  constructor(subscribe: Subscribe<T>, options: LiveQueryOptions) {
    const sort = options.sort ?? '-created_at';
    this.#compare = comparer(sort);
    this.ready = new Promise((done, failed) => {
      this.#settle = { done, failed };
    });
    // Whoever does not wait for it is not to be told of an unhandled rejection.
    this.ready.catch(() => undefined);
    this.#subscription = subscribe({ ...options, sort, snapshot: true, limit: LIMIT }, {
      begin: () => {
        this.#incoming = new Map();
      },
      snapshot: (items, hasMore) => this.#take(items, hasMore),
      event: (event) => this.#apply(event),
      live: () => this.#complete(),
      resync: () => this.#subscription.restart(),
      error: (error) => this.#end(error),
    });
  }

  /** The records, in order. A new array after each change, so that it may be compared by identity. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** Whether there were more records than the first thousand, which is all that is fetched: filter more narrowly then. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Why the records are not kept up to date any longer: the query was refused, or its filter no longer fits the collection. */
  get error(): RealtimeError | undefined {
    return this.#error;
  }

  /** Calls `listener` now, after each change, and when there is an `error`. Returns how to stop that. */
  subscribe(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    listener(this.#items);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#subscription.unsubscribe();
  }

  #take(items: T[], hasMore: boolean): void {
    this.#hasMore = hasMore;
    this.#incoming ??= new Map();
    for (const item of items) this.#incoming.set(item.id, item);
  }

  #apply(event: RecordEvent<T>): void {
    const records = this.#incoming ?? this.#records;
    if (event.operation === 'delete') records.delete(event.id);
    else records.set(event.id, event.data);
    if (!this.#incoming) this.#plan();
  }

  #complete(): void {
    if (this.#incoming) this.#records = this.#incoming;
    this.#incoming = undefined;
    this.#publish();
    this.#settle.done(this.#items);
  }

  #end(error: RealtimeError): void {
    this.#error = error;
    this.#settle.failed(error);
    for (const listener of this.#listeners) listener(this.#items);
  }

  /** Many events at once are sorted and shown once. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      if (this.#planned) this.#publish();
    });
  }

  #publish(): void {
    this.#planned = false;
    this.#items = [...this.#records.values()].sort(this.#compare);
    for (const listener of this.#listeners) listener(this.#items);
  }
}
