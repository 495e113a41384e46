// Records and filters, against the real server. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { before, test } from 'node:test';

import { failure, startServer } from '../../../tests/js/server.js';
import { contains, filter } from '../dist/index.js';
import { FIELDS, clientOf, signedIn } from './support.js';

let server;
before(async () => {
  server = await startServer();
});

async function world(t) {
  const name = await server.collection([...FIELDS, { name: 'done', type: 'boolean' }, { name: 'due', type: 'datetime' }]);
  const person = await server.register();
  const client = await signedIn(t, server.url, person);
  return { client, person, notes: client.collection(name) };
}

test('creates, reads, changes and deletes', async (t) => {
  const { notes } = await world(t);
  const created = await notes.create({ title: 'Buy milk', priority: 1 });
  assert.equal((await notes.get(created.id)).title, 'Buy milk');
  assert.deepEqual(Object.keys(await notes.get(created.id, { fields: ['title'] })).includes('priority'), false);
  assert.equal((await notes.update(created.id, { priority: 2 })).priority, 2);
  assert.equal((await notes.first({ filter: 'priority = 2' })).id, created.id);
  await notes.delete(created.id);
  assert.equal(await notes.first(), null);
  assert.equal((await failure(notes.get(created.id))).status, 404);
});

test('batches are all or none', async (t) => {
  const { notes } = await world(t);
  const [one, two] = await notes.createMany([{ title: 'one' }, { title: 'two' }]);
  const changed = await notes.updateMany([{ id: one.id, title: 'ONE' }, { id: two.id, priority: 5 }]);
  assert.deepEqual(changed.map(({ title, priority }) => [title, priority]), [['ONE', null], ['two', 5]]);
  const error = await failure(notes.createMany([{ title: 'three' }, { titel: 'four' }]));
  assert.equal(error.body.index, 1);
  assert.equal((await notes.list()).total, 2);
  await notes.deleteMany([one.id, two.id]);
  assert.equal((await notes.list()).total, 0);
});

test('walks all pages by cursor', async (t) => {
  const { notes } = await world(t);
  await notes.createMany(Array.from({ length: 25 }, (_, priority) => ({ title: `${priority}`, priority })));
  const seen = [];
  for await (const note of notes.all({ sort: 'priority', limit: 10 })) seen.push(note.priority);
  assert.deepEqual(seen, Array.from({ length: 25 }, (_, index) => index));
});

test('every value comes out of a filter as it went in', async (t) => {
  const { notes } = await world(t);
  const hard = ["O'Brien", '"double"', 'back\\slash', "\\' || true || '", 'C:\\temp\\', '%', '100% _sure_', '\n', '日本 🎉', ''];
  await notes.createMany(hard.map((title) => ({ title })));
  for (const title of hard) {
    const { items } = await notes.list({ filter: filter`title = ${title}` });
    assert.deepEqual(items.map((item) => item.title), [title]);
    const found = await notes.list({ filter: filter`title ~ ${contains(title)}`, limit: 100 });
    const expected = hard.filter((other) => other.includes(title));
    assert.deepEqual(found.items.map((item) => item.title).sort(), expected.sort(), JSON.stringify(title));
  }
  const { items } = await notes.list({ filter: filter`title IN ${hard.slice(0, 3)}` });
  assert.equal(items.length, 3);
});

test('filters compare numbers, times, booleans and null', async (t) => {
  const { notes } = await world(t);
  const due = new Date('2026-05-01T10:00:00.123Z');
  await notes.createMany([
    { title: 'a', priority: 1e-7, done: true, due: due.toISOString() },
    { title: 'b', priority: -1e21, done: false },
  ]);
  const find = async (text) => (await notes.list({ filter: text, sort: 'title' })).items.map((item) => item.title).join('');
  assert.equal(await find(filter`priority = ${1e-7}`), 'a');
  assert.equal(await find(filter`priority = ${-1e21}`), 'b');
  assert.equal(await find(filter`done = ${true}`), 'a');
  assert.equal(await find(filter`due = ${due}`), 'a');
  assert.equal(await find(filter`due = ${null}`), 'b');
  assert.throws(() => filter`priority = ${Number.NaN}`, TypeError);
  assert.throws(() => filter`title IN ${[]}`, TypeError);
});

test('errors name the fields', async (t) => {
  const { notes } = await world(t);
  const error = await failure(notes.create({ titel: 'x' }));
  assert.equal(error.name, 'SnackBaseError');
  assert.equal(error.status, 400);
  assert.deepEqual(Object.keys(error.errors), ['titel']);
  assert.equal(error.isTemporary, false);
});

test('no server, no response: the error says so and is temporary', async (t) => {
  const nobody = clientOf(t, 'http://127.0.0.1:9');
  const error = await failure(nobody.send('GET', 'auth/me'));
  assert.equal(error.code, 'network');
  assert.equal(error.isTemporary, true);
  const { client } = await world(t);
  const silent = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise((done) => silent.listen(0, '127.0.0.1', done));
  t.after(() => silent.close());
  const patient = clientOf(t, `http://127.0.0.1:${silent.address().port}`);
  const late = await failure(patient.send('GET', 'auth/me', { timeout: 50 }));
  assert.equal(late.code, 'timeout');
  const reason = new Error('not wanted');
  assert.equal(await failure(client.send('GET', 'auth/me', { signal: AbortSignal.abort(reason) })), reason);
});

test('an API key needs no sign-in', async (t) => {
  const { notes, person } = await world(t);
  await notes.create({ title: 'Buy milk' });
  const body = { name: 'for a program', account_id: person.account.id };
  const { key } = await server.admin.send('POST', 'admin/api-keys', body);
  const program = clientOf(t, server.url, { apiKey: key });
  const query = program.collection(notes.name).live();
  assert.equal((await query.ready).length, 1);
  assert.equal(program.auth.user, null);
});
