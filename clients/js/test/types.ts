// Compiled, not run: what the types of a client allow and refuse.

import { type SystemFields, SnackBase, filter } from '../dist/index.js';

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
