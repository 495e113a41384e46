import { SnackBaseError } from '../errors.js';
import { type Comparer, comparer } from './order.js';
import type { RecordEvent } from './frames.js';
import type { SubscribeOptions, Subscription, SubscriptionHandlers } from './subscription.js';

export interface LiveQueryOptions {
  /** In the language of REST filters; see `filter`. */
  filter?: string;
  /** As in REST; `-created_at` by default. */
  sort?: string;
  /** Only these fields, and the system's. Include those of `sort`. */
  fields?: string[];
  /** References in whose place their records are shown. Changes of those records alone are not followed. */
  expand?: string[];
  /** Upper limit of records that are fetched at the start, at most 1,000. */
  limit?: number;
  /** Superadmins only: an account by id, code or slug, or `*`. */
  account?: string;
}

/** Changes the records before they are shown: writes that the server does not know yet. */
export type Overlay<T> = (records: Map<string, T>) => void;

/** The largest snapshot that the server sends. */
const MAX_SNAPSHOT = 1_000;

type Listener<T> = (items: readonly T[]) => void;
type Subscribe<T> = (options: SubscribeOptions, handlers: SubscriptionHandlers<T>) => Subscription<T>;

/** An array that always holds what a list with the same options would return. */
export class LiveQuery<T extends { id: string }> {
  /** Resolves when the records have arrived for the first time; rejects if the query is refused. */
  readonly ready: Promise<readonly T[]>;

  #hasMore = false;
  #isLive = false;
  #error: SnackBaseError | undefined;
  #items: readonly T[] = [];
  #records = new Map<string, T>();
  /** The records of a snapshot that is under way; the earlier ones stay until it is complete. */
  #incoming: Map<string, T> | undefined = new Map();
  #isPlanned = false;
  #overlay: Overlay<T> | undefined;
  readonly #listeners = new Set<Listener<T>>();
  readonly #compare: Comparer<T>;
  readonly #subscription: Subscription<T>;
  #settle!: { done: (items: readonly T[]) => void; failed: (error: SnackBaseError) => void };

  /** @internal */
  constructor(
    subscribe: Subscribe<T>,
    options: LiveQueryOptions,
    private readonly closed: () => void,
  ) {
    const sort = options.sort ?? '-created_at';
    this.#compare = comparer(sort);
    this.ready = new Promise((done, failed) => {
      this.#settle = { done, failed };
    });
    // Nobody has to wait for it.
    this.ready.catch(() => undefined);
    this.#subscription = subscribe({ limit: MAX_SNAPSHOT, ...options, sort, snapshot: true }, {
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

  /** The records, in order. A new array after each change, so that it can be compared by identity. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** Whether there are more records than `limit`: filter more narrowly then. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Whether the records are those of the server at this moment; false while they are fetched or the connection is down. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Why the records are no longer kept up to date: the query was refused, or its filter no longer fits the collection. */
  get error(): SnackBaseError | undefined {
    return this.#error;
  }

  /** Calls `listener` now, after each change, when `isLive` changes and on an `error`. Returns how to stop that. */
  subscribe(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    listener(this.#items);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.closed();
    this.#subscription.unsubscribe();
    this.#settle.failed(new SnackBaseError('the query was closed', { code: 'closed' }));
  }

  /** @internal Shows changes on top of the server's records; called again without one, only those. */
  setOverlay(overlay: Overlay<T> | undefined): void {
    this.#overlay = overlay;
    this.#plan();
  }

  /** @internal Resolves when a write, whose response had this `updated_at`, is among the records or known to be out of sight. */
  caughtUp(id: string, updatedAt: string | undefined): Promise<void> {
    return this.#subscription.caughtUp(() => {
      const record = this.#records.get(id) as { updated_at?: string } | undefined;
      return updatedAt === undefined ? !record : (record?.updated_at ?? '') >= updatedAt;
    });
  }

  /** @internal */
  disconnected(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#plan();
  }

  /** @internal Another user: nothing that is shown is theirs. */
  clear(): void {
    this.#records = new Map();
    this.#plan();
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
    this.#isLive = true;
    this.#publish();
    this.#settle.done(this.#items);
  }

  #end(error: SnackBaseError): void {
    this.#error = error;
    this.#isLive = false;
    this.#settle.failed(error);
    this.#publish();
  }

  /** Many events at once are sorted and shown once. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      if (this.#isPlanned) this.#publish();
    });
  }

  #publish(): void {
    this.#isPlanned = false;
    let records = this.#records;
    if (this.#overlay) this.#overlay((records = new Map(records)));
    this.#items = [...records.values()].sort(this.#compare);
    for (const listener of [...this.#listeners]) listener(this.#items);
  }
}
