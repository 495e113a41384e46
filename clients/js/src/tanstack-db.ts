import type { CollectionConfig, DeleteMutationFnParams, InsertMutationFnParams, SyncConfig, UpdateMutationFnParams } from '@tanstack/db';

import type { SnackBaseError } from './errors.js';
import type { RecordEvent, SystemFields } from './realtime/frames.js';
import type { Subscription } from './realtime/subscription.js';
import type { Records } from './records.js';

export interface SnackBaseCollectionConfig<T extends { id: string }, I> {
  /** The collection: `client.collection('notes')`. */
  records: Records<T, I>;
  /** Only the records that fit, in the language of REST filters. */
  filter?: string;
  /** Only these fields, and the system's. */
  fields?: string[];
  /** References in whose place their records are shown. */
  expand?: string[];
  /** Name of the collection in TanStack DB; the one on the server by default. */
  id?: string;
  /**
   * Key of a record; its id by default. A record that is inserted gets its id from the server, so a unique field that the
   * client fills in keeps the key of an optimistic record.
   */
  getKey?: (record: T) => string;
  gcTime?: number;
  startSync?: boolean;
  /** Called when the server no longer keeps the collection up to date, for instance because a field of the filter is gone. */
  ended?(error: SnackBaseError): void;
}

interface Utils {
  /** The position up to which the collection has received every change, for `since` elsewhere. */
  cursor(): string | undefined;
  [key: string]: unknown;
}

const SYSTEM_FIELDS: (keyof SystemFields)[] = [
  'id', 'account_id', 'account_name', 'created_at', 'created_by', 'updated_at', 'updated_by',
];

/**
 * Options for TanStack DB's `createCollection`: a snapshot, then every change, resumed by cursor after a break. An
 * optimistic write is shown until the server's version of it has arrived through the same stream, so nothing flickers
 * and no response overtakes an event; a refused one is rolled back. Several writes of one transaction are one batch.
 *
 * @example
 * const notes = createCollection(snackBaseCollectionOptions({ records: client.collection('notes') }));
 */
export function snackBaseCollectionOptions<T extends { id: string }, I>(
  config: SnackBaseCollectionConfig<T, I>,
): CollectionConfig<T, string, never, Utils> & { utils: Utils } {
  const { records, filter, fields, expand } = config;
  const getKey = config.getKey ?? ((record: T) => record.id);
  let subscription: Subscription<T> | undefined;
  /** What the stream has brought, by id. */
  let received = new Map<string, T>();

  const sync: SyncConfig<T, string>['sync'] = ({ begin, write, commit, markReady, markError, truncate, collection }) => {
    let incoming: Map<string, T> | undefined = new Map();
    const put = (record: T) => {
      const before = received.get(record.id);
      if (before && getKey(before) !== getKey(record)) write({ type: 'delete', key: getKey(before) });
      const isKnown = before !== undefined && getKey(before) === getKey(record);
      write({ type: isKnown ? 'update' : 'insert', value: record });
      received.set(record.id, record);
    };
    const apply = (event: RecordEvent<T>) => {
      if (incoming) {
        if (event.operation === 'delete') incoming.delete(event.id);
        else incoming.set(event.id, event.data);
        return;
      }
      const before = received.get(event.id);
      begin();
      if (event.operation !== 'delete') put(event.data);
      else if (before) {
        write({ type: 'delete', key: getKey(before) });
        received.delete(event.id);
      }
      commit();
    };
    const complete = () => {
      if (!incoming) return;
      begin();
      truncate();
      received = new Map();
      for (const record of incoming.values()) put(record);
      incoming = undefined;
      commit();
      markReady();
    };
    const options = { snapshot: true, limit: 1_000, ...defined({ filter, fields, expand }) };
    subscription = records.subscribe(options, {
      begin: () => {
        incoming = new Map();
      },
      snapshot: (items) => {
        for (const item of items) incoming?.set(item.id, item);
      },
      event: apply,
      live: complete,
      resync: () => subscription?.restart(),
      error: (error) => {
        if (collection.status === 'loading') markError(error);
        else config.ended?.(error);
      },
    });
    return () => subscription?.unsubscribe();
  };

  /** Waits until the stream has brought these versions, or the server says that they are out of sight. */
  const arrived = async (written: { id: string; updated_at?: string }[]) => {
    await Promise.all(written.map(({ id, updated_at }) => subscription?.caughtUp(() => {
      const record = received.get(id) as { updated_at?: string } | undefined;
      return updated_at === undefined ? !record : (record?.updated_at ?? '') >= updated_at;
    })));
  };
  const idOf = (record: object) => (record as T).id;

  return {
    id: config.id ?? records.name,
    getKey,
    sync: { sync, rowUpdateMode: 'full' },
    ...defined({ gcTime: config.gcTime, startSync: config.startSync }),
    utils: { cursor: () => subscription?.cursor },
    async onInsert({ transaction }: InsertMutationFnParams<T, string, Utils>) {
      const inputs = transaction.mutations.map(({ modified }) => withoutSystemFields(modified) as I);
      const [first] = inputs;
      const created = inputs.length === 1 ? [await records.create(first as I)] : await records.createMany(inputs);
      await arrived(created);
    },
    async onUpdate({ transaction }: UpdateMutationFnParams<T, string, Utils>) {
      const changes = transaction.mutations.map(({ original, changes: changed }) => {
        return { id: idOf(original), ...withoutSystemFields(changed) } as { id: string } & Partial<I>;
      });
      const [first] = changes;
      const { id, ...data } = first as { id: string } & Partial<I>;
      const updated = changes.length === 1 ? [await records.update(id, data as Partial<I>)] : await records.updateMany(changes);
      await arrived(updated);
    },
    async onDelete({ transaction }: DeleteMutationFnParams<T, string, Utils>) {
      const ids = transaction.mutations.map(({ original }) => idOf(original));
      if (ids.length === 1) await records.delete(ids[0] as string);
      else await records.deleteMany(ids);
      await arrived(ids.map((id) => ({ id })));
    },
  };
}

function withoutSystemFields(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !(SYSTEM_FIELDS as string[]).includes(name)));
}

type Defined<O> = { [K in keyof O]?: Exclude<O[K], undefined> };

function defined<O extends object>(options: O): Defined<O> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<O>;
}
