import type { Credentials, Http } from './http.js';
import type { LiveQuery, LiveQueryOptions } from './realtime/live-query.js';
import type { SystemFields } from './realtime/frames.js';
import type { Subscription, SubscribeOptions, SubscriptionHandlers } from './realtime/subscription.js';
import type { Realtime } from './realtime.js';

export interface ViewOptions {
  /** Only these fields, and the system's. */
  fields?: string[];
  /** References in whose place their records are shown, as in `author.country`. */
  expand?: string[];
  signal?: AbortSignal;
}

export interface ListOptions extends ViewOptions {
  /** In the filter language; build it with `filter` so that values are escaped. */
  filter?: string;
  /** Words to look for in searchable fields. */
  search?: string;
  /** Up to 8 fields with commas between them, `-` for descending; `-created_at` by default. */
  sort?: string;
  /** Records of a page: 1 to 100, 30 by default. */
  limit?: number;
  /** Records before the page. */
  skip?: number;
  /** Where the page begins: `next_cursor` of the page before it, or empty for the first. */
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  /** Records of all pages; null for pages by cursor. */
  total: number | null;
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

/** Fields of a record that may be sent. */
export type Input<T> = Omit<T, keyof SystemFields>;

const LARGEST_PAGE = 100;

/** The records of one collection. Every method rejects with `SnackBaseError`. */
export class Records<T extends { id: string } = SystemFields & Record<string, unknown>, I = Partial<Input<T>>> {
  /** @internal */
  constructor(
    readonly name: string,
    private readonly http: Http,
    private readonly credentials: Credentials,
    private readonly realtime: Realtime,
  ) {}

  /** One page of the list. */
  list(options: ListOptions = {}): Promise<Page<T>> {
    const { fields, expand, signal, ...query } = options;
    return this.#send('GET', '', { query: { ...query, ...joined({ fields, expand }) }, ...(signal && { signal }) });
  }

  /** All records of the list, page by page: `for await (const note of notes.all()) …`. */
  async *all(options: Omit<ListOptions, 'skip' | 'cursor'> = {}): AsyncGenerator<T, void> {
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page<T> = await this.list({ limit: LARGEST_PAGE, ...options, cursor });
      yield* page.items;
      cursor = page.has_more ? page.next_cursor : null;
    }
  }

  /** The first record that fits, or null. */
  async first(options: Omit<ListOptions, 'limit'> = {}): Promise<T | null> {
    const { items } = await this.list({ ...options, limit: 1 });
    return items[0] ?? null;
  }

  get(id: string, { fields, expand, signal }: ViewOptions = {}): Promise<T> {
    return this.#send('GET', `/${encodeURIComponent(id)}`, { query: joined({ fields, expand }), ...(signal && { signal }) });
  }

  create(record: I): Promise<T> {
    return this.#send('POST', '', { body: record });
  }

  /** Changes the fields that are sent. */
  update(id: string, changes: Partial<I>): Promise<T> {
    return this.#send('PATCH', `/${encodeURIComponent(id)}`, { body: changes });
  }

  delete(id: string): Promise<void> {
    return this.#send('DELETE', `/${encodeURIComponent(id)}`);
  }

  /** Creates up to 100 records in one transaction: all or none. */
  async createMany(records: I[]): Promise<T[]> {
    return (await this.#send<{ created: T[] }>('POST', '/batch', { body: { records } })).created;
  }

  /** Changes up to 100 records in one transaction: all or none. */
  async updateMany(changes: ({ id: string } & Partial<I>)[]): Promise<T[]> {
    const records = changes.map(({ id, ...data }) => ({ id, data }));
    return (await this.#send<{ updated: T[] }>('PATCH', '/batch', { body: { records } })).updated;
  }

  /** Deletes up to 100 records in one transaction: all or none. */
  async deleteMany(ids: string[]): Promise<void> {
    await this.#send('DELETE', '/batch', { body: { ids } });
  }

  /** An array of the records that stays up to date. */
  live(options: LiveQueryOptions = {}): LiveQuery<T> {
    return this.realtime.liveQuery<T>(this.name, options);
  }

  /** Calls the handlers as records of the collection, or one record, change. */
  subscribe(options: SubscribeOptions, handlers: SubscriptionHandlers<T>): Subscription<T> {
    return this.realtime.subscribe<T>(this.name, options, handlers);
  }

  #send<R>(method: string, path: string, options: Parameters<Http['send']>[2] = {}): Promise<R> {
    return this.http.send<R>(method, `records/${encodeURIComponent(this.name)}${path}`, options, this.credentials);
  }
}

function joined(lists: Record<string, string[] | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list?.join(',')]));
}
