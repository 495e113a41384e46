// Compiled, not run: what the types of a client allow and refuse.

import { createCollection } from '@tanstack/db';

import { OfflineQueue, type SystemFields, SnackBase, filter } from '../dist/index.js';
import { SnackBaseProvider, useLiveQuery } from '../dist/react.js';
import { snackBaseCollectionOptions } from '../dist/tanstack-db.js';

interface NoteRecord extends SystemFields {
  title: string;
  priority: number | null;
}
interface NoteInput {
  title: string;
  priority?: number | null;
}

/** As `snackbase types typescript` prints it. */
interface CollectionRecords {
  notes: NoteRecord;
}
interface CollectionInputs {
  notes: NoteInput;
}

const typed = new SnackBase<CollectionRecords, CollectionInputs>('http://127.0.0.1:8000');

export async function uses(): Promise<number | null | undefined> {
  const notes = typed.collection('notes');
  const note = await notes.create({ title: 'Buy milk' });
  // @ts-expect-error `title` is required
  await notes.create({ priority: 1 });
  // @ts-expect-error unknown field
  await notes.update(note.id, { titel: 'x' });
  // @ts-expect-error unknown collection
  typed.collection('books');
  // @ts-expect-error an object is not a value of a filter
  filter`title = ${{}}`;
  const query = notes.live({ filter: filter`priority > ${1}` });
  return query.items[0]?.priority;
}

export async function usesUntyped(): Promise<unknown> {
  const anything = new SnackBase('http://127.0.0.1:8000').collection('anything');
  const record = await anything.create({ whatever: 1 });
  return [record.whatever, record.created_at];
}

export async function usesAdapters(): Promise<unknown> {
  const notes = createCollection(snackBaseCollectionOptions({ records: typed.collection('notes') }));
  const queue = new OfflineQueue(typed);
  const key: string = await queue.create('notes', { title: 'Buy milk' });
  SnackBaseProvider({ client: typed });
  // @ts-expect-error `priority` is a number
  notes.toArray[0]?.priority?.toUpperCase();
  return [key, notes.toArray[0]?.priority?.toFixed(1), useLiveQuery<NoteRecord>('notes').items[0]?.title];
}
