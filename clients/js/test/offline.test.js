// Writes that wait, against the real server. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { eventually, startServer } from '../../../tests/js/server.js';
import { OfflineQueue, memoryStore } from '../dist/index.js';
import { FIELDS, Inbox, line, shows, signedIn, titles } from './support.js';

let server;
before(async () => {
  server = await startServer();
});

const KEYED = [...FIELDS, { name: 'client_id', type: 'text', unique: true }];

/** A queue whose way to the server can be cut, or lose responses. */
async function world(t, options = {}) {
  const name = await server.collection(KEYED);
  const person = await server.register();
  const way = await line(t, server.url);
  let lose;
  const fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init);
    if (!lose?.(init.method, url)) return response;
    throw new TypeError('the response was lost');
  };
  const client = await signedIn(t, way.url, person, { fetch });
  const store = memoryStore();
  const refused = new Inbox();
  const queue = new OfflineQueue(client, { store, refused: (write, error) => refused.push({ write, error }), ...options });
  t.after(() => queue.close());
  const list = async () => {
    const { items } = await person.send('GET', `records/${name}?sort=created_at`);
    return items.map((item) => item.title);
  };
  return { name, person, client, queue, store, refused, way, list, loseWhen: (next) => (lose = next) };
}

test('a write is shown at once and confirmed without a flicker', async (t) => {
  const { name, queue, list } = await world(t);
  const query = queue.live(name, { sort: 'created_at' });
  await query.ready;
  const seen = [];
  query.subscribe((items) => seen.push(items.map((item) => item.title).join()));
  await queue.create(name, { title: 'one' });
  await shows(query, ['one']);
  await queue.flushed();
  await eventually('the record of the server', () => query.items[0]?.created_by && query.items[0].id !== query.items[0].client_id);
  assert.deepEqual(await list(), ['one']);
  assert.deepEqual([...new Set(seen)], ['', 'one']);
});

test('a record whose event overtakes the response is shown once', async (t) => {
  const { name, queue, store, loseWhen, list } = await world(t);
  const query = queue.live(name);
  await query.ready;
  let isLost = true;
  loseWhen((method) => method === 'POST' && isLost);
  const seen = new Set();
  query.subscribe((items) => seen.add(items.map((item) => item.title).join()));
  await queue.create(name, { title: 'one' });
  await eventually('the record at the server', async () => (await list()).length === 1);
  await eventually('the record of the server', () => query.items[0]?.id !== query.items[0]?.client_id);
  assert.equal((await store.all()).length, 1);
  isLost = false;
  await queue.flushed();
  assert.deepEqual([...seen], ['', 'one']);
});

test('writes that were made offline are shown, wait, and are sent in order', async (t) => {
  const { name, queue, way, list, person } = await world(t);
  const old = await person.create(name, { title: 'old', client_id: 'old' });
  const query = queue.live(name, { sort: 'created_at' });
  await query.ready;
  way.cut();
  const key = await queue.create(name, { title: 'new' });
  await queue.update(name, key, { title: 'newer' });
  await queue.update(name, old.id, { title: 'older' });
  const gone = await queue.create(name, { title: 'gone' });
  await queue.delete(name, gone);
  await shows(query, ['older', 'newer']);
  assert.equal(queue.pending, 5);
  await person.create(name, { title: 'theirs', client_id: 'theirs' });
  way.allow();
  await queue.flushed();
  await shows(query, ['older', 'theirs', 'newer']);
  assert.deepEqual(await list(), ['older', 'theirs', 'newer']);
});

test('a create whose response was lost is not made twice', async (t) => {
  const { name, queue, list, loseWhen } = await world(t);
  let losses = 3;
  loseWhen((method) => method === 'POST' && losses-- > 0);
  const key = await queue.create(name, { title: 'once' });
  await queue.update(name, key, { priority: 7 });
  const query = queue.live(name);
  await queue.flushed();
  assert.deepEqual(await list(), ['once']);
  await eventually('the change', () => query.items[0]?.priority === 7);
  assert.ok(losses <= 0);
});

test('a delete whose response was lost is done', async (t) => {
  const { name, queue, person, list, refused, loseWhen } = await world(t);
  const { id } = await person.create(name, { title: 'gone', client_id: 'x' });
  let losses = 1;
  loseWhen((method) => method === 'DELETE' && losses-- > 0);
  await queue.delete(name, id);
  await queue.flushed();
  assert.deepEqual(await list(), []);
  assert.deepEqual(refused.items, []);
});

test('a refused write is taken back and told, and the next one goes on', async (t) => {
  const { name, queue, list, refused } = await world(t);
  const query = queue.live(name);
  await query.ready;
  await queue.create(name, { titel: 'wrong' });
  await queue.create(name, { title: 'right' });
  await queue.flushed();
  await shows(query, ['right']);
  assert.equal(refused.items.length, 1);
  assert.deepEqual(refused.items[0].write.data, { titel: 'wrong' });
  assert.ok(refused.items[0].error.errors.titel);
  assert.deepEqual(await list(), ['right']);
});

test('the queue outlives the program, and belongs to its user', async (t) => {
  const { name, queue, store, way, person, client, list } = await world(t);
  way.cut();
  await queue.create(name, { title: 'later' });
  queue.close();
  client.close();
  way.allow();
  const stranger = await signedIn(t, server.url, await server.register());
  const theirs = new OfflineQueue(stranger, { store });
  t.after(() => theirs.close());
  await theirs.flushed();
  assert.equal(theirs.pending, 0);
  assert.deepEqual(await list(), []);
  const again = await signedIn(t, server.url, person);
  const mine = new OfflineQueue(again, { store });
  t.after(() => mine.close());
  await eventually('the write', async () => (await list()).length === 1);
  await eventually('an empty store', async () => (await store.all()).length === 0);
});

test('a write waits for the next sign-in', async (t) => {
  const { name, queue, client, person, way, list } = await world(t);
  way.cut();
  await queue.create(name, { title: 'waiting' });
  await client.auth.signOut();
  way.allow();
  assert.equal(queue.pending, 0);
  await client.auth.signIn(person.credentials);
  assert.equal(queue.pending, 1);
  await queue.flushed();
  assert.deepEqual(await list(), ['waiting']);
});

test('a key of a record that another tab still shows is understood', async (t) => {
  const { name, queue, list } = await world(t);
  const key = await queue.create(name, { title: 'one' });
  await queue.flushed();
  await queue.update(name, key, { title: 'two' });
  await queue.flushed();
  assert.deepEqual(await list(), ['two']);
  await queue.delete(name, key);
  await queue.flushed();
  assert.deepEqual(await list(), []);
});

test('a change that somebody else made meanwhile is not covered by ours', async (t) => {
  const { name, queue, person } = await world(t);
  const record = await person.create(name, { title: 'a', priority: 1, client_id: 'a' });
  const query = queue.live(name);
  await query.ready;
  await queue.update(name, record.id, { title: 'b' });
  await queue.flushed();
  await person.update(name, record.id, { title: 'c' });
  await shows(query, ['c']);
  await new Promise((done) => setTimeout(done, 1_500));
  assert.deepEqual(titles(query), ['c']);
});
