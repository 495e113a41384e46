// The TanStack DB collection, against the real server. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createCollection, createLiveQueryCollection, eq } from '@tanstack/db';

import { eventually, failure, startServer } from '../../../tests/js/server.js';
import { snackBaseCollectionOptions } from '../dist/tanstack-db.js';
import { FIELDS, cuttable, signedIn } from './support.js';

let server;
before(async () => {
  server = await startServer();
});

async function world(t, options = {}, rules = {}) {
  const name = await server.collection([...FIELDS, { name: 'key', type: 'text', unique: true }], rules);
  const person = await server.register();
  const { WebSocket, cut } = cuttable();
  const client = await signedIn(t, server.url, person, { WebSocket });
  const notes = createCollection(snackBaseCollectionOptions({ records: client.collection(name), ...options }));
  t.after(() => notes.cleanup());
  const add = (title, priority = 0) => person.create(name, { title, priority });
  return { name, person, client, notes, cut, add };
}

const titles = (collection) => collection.toArray.map((note) => note.title).sort();
const shows = (collection, expected) =>
  eventually(`${expected}, not ${titles(collection)}`, () => titles(collection).join() === expected.join());

test('begins with a snapshot and follows changes', async (t) => {
  const { notes, add, person, name } = await world(t);
  const first = await add('first');
  await notes.preload();
  assert.deepEqual(titles(notes), ['first']);
  await add('second');
  await shows(notes, ['first', 'second']);
  await person.update(name, first.id, { title: 'changed' });
  await shows(notes, ['changed', 'second']);
  await person.delete(name, first.id);
  await shows(notes, ['second']);
  assert.match(notes.utils.cursor(), /:/);
});

test('resumes after a break', async (t) => {
  const { notes, add, person, name, cut } = await world(t);
  const gone = await add('gone');
  await notes.preload();
  const changes = [];
  notes.subscribeChanges((batch) => changes.push(...batch.map(({ type, value }) => `${type} ${value.title}`)), {
    includeInitialState: true,
  });
  cut();
  await person.delete(name, gone.id);
  await add('missed');
  await shows(notes, ['missed']);
  assert.deepEqual(changes, ['insert gone', 'delete gone', 'insert missed']);
});

test('optimistic writes are shown at once and confirmed by the stream', async (t) => {
  const { notes } = await world(t, { getKey: (note) => note.key });
  await notes.preload();
  const seen = [];
  notes.subscribeChanges(() => seen.push(titles(notes).join()));
  const insert = notes.insert({ key: 'k1', title: 'one', priority: 1 });
  assert.deepEqual(titles(notes), ['one']);
  await insert.isPersisted.promise;
  assert.ok(notes.get('k1').id, 'the record of the server');
  const update = notes.update('k1', (draft) => {
    draft.title = 'two';
  });
  assert.deepEqual(titles(notes), ['two']);
  await update.isPersisted.promise;
  assert.deepEqual(titles(notes), ['two']);
  await notes.delete('k1').isPersisted.promise;
  assert.deepEqual(titles(notes), []);
  // No moment at which an older state came back.
  assert.deepEqual(seen.filter((each, index) => each !== seen[index - 1]), ['one', 'two', '']);
});

test('a record that is inserted under an id of the client gets that of the server', async (t) => {
  const { notes } = await world(t);
  await notes.preload();
  const id = crypto.randomUUID();
  await notes.insert({ id, title: 'one' }).isPersisted.promise;
  assert.deepEqual(titles(notes), ['one']);
  assert.equal(notes.has(id), false);
});

test('several writes of one transaction are one batch', async (t) => {
  const { notes } = await world(t, { getKey: (note) => note.key });
  await notes.preload();
  await notes.insert([{ key: 'a', title: 'a' }, { key: 'b', title: 'b' }, { key: 'c', title: 'c' }]).isPersisted.promise;
  assert.deepEqual(titles(notes), ['a', 'b', 'c']);
  await notes.update(['a', 'b'], (drafts) => drafts.forEach((draft) => (draft.priority = 9))).isPersisted.promise;
  assert.deepEqual(notes.toArray.map((note) => note.priority).sort(), [9, 9, null]);
  await notes.delete(['a', 'b']).isPersisted.promise;
  assert.deepEqual(titles(notes), ['c']);
});

test('a refused write is rolled back', async (t) => {
  const { notes, add } = await world(t, {}, { update_rule: "title != 'fixed'" });
  const { id } = await add('fixed');
  await notes.preload();
  const update = notes.update(id, (draft) => {
    draft.title = 'changed';
  });
  assert.deepEqual(titles(notes), ['changed']);
  const error = await failure(update.isPersisted.promise);
  assert.equal(error.status, 404);
  assert.deepEqual(titles(notes), ['fixed']);
});

test('a write that leaves the filter is confirmed as well', async (t) => {
  const { notes, add } = await world(t, { filter: 'priority > 5' });
  const { id } = await add('high', 9);
  await notes.preload();
  await notes.update(id, (draft) => {
    draft.priority = 1;
  }).isPersisted.promise;
  assert.deepEqual(titles(notes), []);
});

test('a refused query rejects with its reason', async (t) => {
  const { notes } = await world(t, { filter: 'nothing = 1' });
  assert.match((await failure(notes.preload())).message, /nothing/);
});

test('live queries of TanStack DB run over it', async (t) => {
  const { notes, add } = await world(t);
  await add('high', 9);
  await add('low', 1);
  const high = createLiveQueryCollection((query) =>
    query.from({ note: notes }).where(({ note }) => eq(note.priority, 9)).select(({ note }) => ({ id: note.id, title: note.title })));
  await high.preload();
  assert.deepEqual(titles(high), ['high']);
  await add('another', 9);
  await shows(high, ['another', 'high']);
  await high.cleanup();
});
