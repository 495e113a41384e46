import type { SnackBase } from './client.js';
import { SnackBaseError } from './errors.js';
import { filter } from './filter.js';
import type { SystemFields } from './realtime/frames.js';
import type { LiveQuery, LiveQueryOptions } from './realtime/live-query.js';
import { type QueueStore, type QueuedWrite, indexedDbStore, memoryStore } from './offline/store.js';
import { onWake } from './wake.js';

export interface OfflineOptions {
  /**
   * The field that carries the idempotency key of a create; `client_id` by default. It must be a text field that is
   * defined with `"unique": true`: a create whose response was lost is then refused as a duplicate, and not made twice.
   */
  keyField?: string;
  /** Where the queue is kept: IndexedDB in browsers, otherwise memory. */
  store?: QueueStore;
  /** Called with a write that the server refused for good, after its effect was taken back. */
  refused?(write: QueuedWrite, error: SnackBaseError): void;
}

type AnyRecord = SystemFields & Record<string, unknown>;
type AnyClient = Pick<SnackBase, 'auth' | 'realtime' | 'collection' | 'url'>;

/** A write whose response has arrived, and that a live query may not show yet. */
interface ConfirmedWrite {
  write: QueuedWrite;
  /** The record in the response; undefined for a delete. */
  record: AnyRecord | undefined;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/**
 * Queues writes, shows their effect in live queries at once, and sends them in order when the server can be reached. The
 * queue survives a reload, and each write takes effect once.
 */
export class OfflineQueue {
  #writes: QueuedWrite[] = [];
  readonly #confirmed = new Set<ConfirmedWrite>();
  readonly #queries = new Map<LiveQuery<AnyRecord>, string>();
  readonly #listeners = new Set<(pending: number) => void>();
  readonly #store: QueueStore;
  readonly #keyField: string;
  readonly #channel: BroadcastChannel | undefined;
  readonly #stops: (() => void)[];
  #sending: Promise<void> | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    private readonly client: AnyClient,
    private readonly options: OfflineOptions = {},
  ) {
    const name = `snackbase-queue:${client.url}`;
    const hasDatabase = typeof indexedDB !== 'undefined';
    this.#store = options.store ?? (hasDatabase ? indexedDbStore(name) : memoryStore());
    this.#keyField = options.keyField ?? 'client_id';
    if (!options.store && hasDatabase && globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = () => void this.#reload();
    }
    this.#stops = [
      onWake(() => this.#retryNow()),
      client.auth.onChange(() => this.#retryNow()),
      client.realtime.onState((state) => state === 'open' && this.#retryNow()),
    ];
    void this.#reload().then(() => this.#send());
  }

  /** Writes that the server has not confirmed. */
  get pending(): number {
    return this.#mine().length;
  }

  /** Calls `listener` now and whenever the number of pending writes changes. Returns how to stop that. */
  onPending(listener: (pending: number) => void): () => void {
    this.#listeners.add(listener);
    listener(this.pending);
    return () => this.#listeners.delete(listener);
  }

  /** Queues a create and returns the record's key: `update` and `delete` take it in place of the id. */
  async create(collection: string, record: Record<string, unknown>): Promise<string> {
    const id = randomKey();
    await this.#add('create', collection, id, record);
    return id;
  }

  update(collection: string, id: string, changes: Record<string, unknown>): Promise<void> {
    return this.#add('update', collection, id, changes);
  }

  delete(collection: string, id: string): Promise<void> {
    return this.#add('delete', collection, id, {});
  }

  /**
   * A live query that also shows the pending writes. A record that is not created yet has its key as `id`; whether it
   * fits the filter is only known to the server, so it is shown in any case.
   */
  live<T extends { id: string }>(collection: string, options: LiveQueryOptions = {}): LiveQuery<T> {
    const query = this.client.collection(collection).live(options);
    query.setOverlay((records) => this.#show(collection, records));
    this.#queries.set(query, collection);
    const close = query.close.bind(query);
    query.close = () => {
      this.#queries.delete(query);
      close();
    };
    return query as unknown as LiveQuery<T>;
  }

  /** Resolves when no write of this user is pending. */
  async flushed(): Promise<void> {
    while (this.pending > 0) {
      await new Promise<void>((done) => {
        const stop = this.onPending((pending) => pending === 0 && queueMicrotask(() => (stop(), done())));
      });
    }
  }

  /** Stops sending. What is pending stays in the store. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
    this.#channel?.close();
  }

  /** The writes of the user who is signed in. */
  #mine(): QueuedWrite[] {
    const user = this.client.auth.user?.id;
    return this.#writes.filter((write) => write.user === user);
  }

  async #add(operation: QueuedWrite['operation'], collection: string, id: string, data: Record<string, unknown>): Promise<void> {
    const user = this.client.auth.user?.id;
    if (!user) throw new SnackBaseError('nobody is signed in', { code: 'unauthenticated', status: 401 });
    await this.#store.add({ user, operation, collection, id, data, madeAt: new Date().toISOString() });
    await this.#reload();
    this.#channel?.postMessage('changed');
    this.#retryNow();
  }

  async #reload(): Promise<void> {
    this.#writes = await this.#store.all();
    this.#changed();
  }

  #changed(): void {
    for (const [query, collection] of this.#queries) query.setOverlay((records) => this.#show(collection, records));
    for (const listener of [...this.#listeners]) listener(this.pending);
  }

  #retryNow(): void {
    this.#failures = 0;
    this.#send();
  }

  #send(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#sending) return;
    this.#sending = this.#exclusive(() => this.#sendAll())
      .catch(() => {
        const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
        this.#failures += 1;
        this.#timer = setTimeout(() => this.#send(), pause);
      })
      .finally(() => {
        this.#sending = undefined;
        if (this.pending > 0 && this.#failures === 0) this.#send();
      });
  }

  /** One tab sends at a time. */
  #exclusive(action: () => Promise<void>): Promise<void> {
    const locks = this.#channel && globalThis.navigator?.locks;
    return locks ? (locks.request(`snackbase-queue:${this.client.url}`, action) as Promise<void>) : action();
  }

  async #sendAll(): Promise<void> {
    await this.#reload();
    for (let next = this.#mine()[0]; next && !this.#isClosed; next = this.#mine()[0]) {
      let record: AnyRecord | undefined;
      try {
        record = await this.#sendOne(next);
      } catch (error) {
        // Without a session, the write waits for the next sign-in.
        if (!(error instanceof SnackBaseError) || error.isTemporary || error.status === 401) throw error;
        await this.#store.remove(next.position);
        await this.#reload();
        this.#channel?.postMessage('changed');
        this.options.refused?.(next, error);
        continue;
      }
      await this.#confirm(next, record);
    }
  }

  /** Sends a write and returns the record of the response; undefined after a delete. */
  async #sendOne({ operation, collection, id, data }: QueuedWrite): Promise<AnyRecord | undefined> {
    const records = this.client.collection(collection);
    if (operation === 'create') {
      try {
        return await records.create({ ...data, [this.#keyField]: id });
      } catch (error) {
        const made = this.#isDuplicate(error) && (await this.#findByKey(collection, id));
        if (!made) throw error;
        return made;
      }
    }
    const change = async (target: string) => (operation === 'update' ? records.update(target, data) : records.delete(target));
    try {
      return (await change(id)) ?? undefined;
    } catch (error) {
      if ((error as SnackBaseError).status !== 404) throw error;
      // The id may be a key that another tab still shows.
      const made = await this.#findByKey(collection, id);
      if (made) return (await change(made.id)) ?? undefined;
      if (operation === 'update') throw error;
      return undefined;
    }
  }

  /** The record that was created with this key; null also if the collection has no such field. */
  async #findByKey(collection: string, key: string): Promise<AnyRecord | null> {
    try {
      return await this.client.collection(collection).first({ filter: `${this.#keyField} = ${filter`${key}`}` });
    } catch (error) {
      if ((error as SnackBaseError).status !== 400) throw error;
      return null;
    }
  }

  /** Whether an earlier attempt had created the record, and only its response was lost. */
  #isDuplicate(error: unknown): boolean {
    if (!(error instanceof SnackBaseError) || error.status !== 409) return false;
    return (error.body as { field?: string }).field === this.#keyField || this.#keyField in error.errors;
  }

  async #confirm(write: QueuedWrite, record: AnyRecord | undefined): Promise<void> {
    if (write.operation === 'create' && record) {
      // What was written for the key afterwards is for this record.
      for (const later of this.#writes) {
        if (later.id === write.id && later.position !== write.position) await this.#store.put({ ...later, id: record.id });
      }
    }
    this.#failures = 0;
    const confirmed = { write, record };
    this.#confirmed.add(confirmed);
    await this.#store.remove(write.position);
    await this.#reload();
    this.#channel?.postMessage('changed');
    const queries = [...this.#queries].filter(([, collection]) => collection === write.collection);
    const updatedAt = record?.updated_at as string | undefined;
    const shown = queries.map(([query]) => query.caughtUp(record?.id ?? write.id, updatedAt));
    void Promise.all(shown).then(() => {
      this.#confirmed.delete(confirmed);
      this.#changed();
    });
  }

  /** Puts on top of the server's records what it has confirmed and the query does not show yet, then what is pending. */
  #show(collection: string, records: Map<string, AnyRecord>): void {
    for (const { write, record } of this.#confirmed) {
      if (write.collection !== collection) continue;
      if (!record) records.delete(write.id);
      else if (isOlder(records.get(record.id), record, write.operation)) records.set(record.id, record);
    }
    const pending = this.#mine().filter((write) => write.collection === collection);
    if (pending.length === 0) return;
    // The event of a create may arrive before its response, and in the other tabs before they know that it was sent.
    const byKey = new Map([...records.values()].map((record) => [record[this.#keyField], record.id]));
    for (const { operation, id: idOrKey, data, madeAt, user } of pending) {
      const id = byKey.get(idOrKey) ?? idOrKey;
      const record = records.get(id);
      if (operation === 'delete') records.delete(id);
      else if (operation === 'update' && record) records.set(id, { ...record, ...data });
      else if (operation === 'create' && !record) {
        const account_id = this.client.auth.account?.id ?? '';
        const system = { id, account_id, created_at: madeAt, created_by: user, updated_at: madeAt, updated_by: user };
        records.set(id, { ...data, [this.#keyField]: id, ...system });
      }
    }
  }
}

/** Whether what a query shows does not have the change yet. What it does not show is only added by a create. */
function isOlder(shown: AnyRecord | undefined, record: AnyRecord, operation: QueuedWrite['operation']): boolean {
  return shown ? shown.updated_at < record.updated_at : operation === 'create';
}

/** 128 random bits. `crypto.randomUUID` is missing in pages that came over plain HTTP from another machine. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
