// Subscriptions and live queries, against the real server. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { eventually, startServer } from '../../../tests/js/server.js';
import { FIELDS, Inbox, cuttable, isOpen, shows, signedIn, titles } from './support.js';

let server;
before(async () => {
  server = await startServer();
});

/** A collection and a client whose connection can be cut. */
async function world(t, fields = FIELDS) {
  const name = await server.collection(fields);
  const person = await server.register();
  const { WebSocket, cut } = cuttable();
  const client = await signedIn(t, server.url, person, { WebSocket });
  const records = client.collection(name);
  const add = (title, priority = 0) => records.create({ title, priority });
  return { name, client, records, person, cut, add };
}

test('a live query holds what the list would return, in its order', async (t) => {
  const { records, add } = await world(t);
  const low = await add('low', 1);
  await add('high', 9);
  await add('hidden', -1);
  const query = records.live({ filter: 'priority >= 0', sort: '-priority' });
  await query.ready;
  assert.deepEqual(titles(query), ['high', 'low']);
  assert.equal(query.isLive, true);

  await add('middle', 5);
  await shows(query, ['high', 'middle', 'low']);
  await records.update(low.id, { priority: 10 });
  await shows(query, ['low', 'high', 'middle']);
  await records.update(low.id, { priority: -5 });
  await shows(query, ['high', 'middle']);
  await records.update(low.id, { priority: 7 });
  await shows(query, ['high', 'low', 'middle']);
  await records.delete(low.id);
  await shows(query, ['high', 'middle']);
});

test('what happens while the connection is down arrives afterwards, in order, once', async (t) => {
  const { client, records, cut, add } = await world(t);
  const inbox = new Inbox();
  records.subscribe({}, { event: inbox.push });
  await isOpen(client);
  await add('before');
  await inbox.find('the first event');
  cut();
  await eventually('the break', () => client.realtime.state !== 'open');
  for (let index = 0; index < 20; index += 1) await add(`missed ${index}`);
  await isOpen(client);
  await add('after');
  await inbox.find('the last event', (event) => event.data.title === 'after');
  const expected = ['before', ...Array.from({ length: 20 }, (_, index) => `missed ${index}`), 'after'];
  assert.deepEqual(inbox.items.map((event) => event.data.title), expected);
});

test('a subscription that has received nothing yet misses nothing either', async (t) => {
  const { client, records, cut, add } = await world(t);
  const inbox = new Inbox();
  const subscription = records.subscribe({}, { event: inbox.push });
  await eventually('the acknowledgement', () => subscription.cursor);
  cut();
  await eventually('the break', () => client.realtime.state !== 'open');
  await add('missed');
  await inbox.find('the missed event');
  assert.deepEqual(inbox.items.map((event) => event.data.title), ['missed']);
});

test('a live query shows records in the place of references', async (t) => {
  const { name, records, client, add } = await world(t);
  const reference = { name: 'about', type: 'reference', collection: name, on_delete: 'set_null' };
  const notes = client.collection(await server.collection([...FIELDS, reference]));
  const about = (await add('subject')).id;
  await notes.create({ title: 'first', about });
  const query = notes.live({ expand: ['about'], sort: 'title' });
  const [first] = await query.ready;
  assert.equal(first.about.title, 'subject');
  await notes.create({ title: 'second', about });
  await shows(query, ['first', 'second']);
  assert.deepEqual(query.items[1].about, first.about);
  assert.equal((await records.get(about)).title, 'subject');
});

test('a live query survives breaks and says that it is not live', async (t) => {
  const { records, cut, add } = await world(t);
  const gone = await add('gone', 1);
  const query = records.live({ sort: 'priority' });
  await query.ready;
  const live = new Inbox();
  query.subscribe(() => live.push({ isLive: query.isLive }));
  cut();
  await live.find('the break', ({ isLive }) => !isLive);
  await records.delete(gone.id);
  await add('new', 2);
  await shows(query, ['new']);
  await eventually('live again', () => query.isLive);
});

test('a subscription resumes from a cursor that was kept', async (t) => {
  const { records, client, add } = await world(t);
  const first = new Inbox();
  const subscription = records.subscribe({}, { event: first.push });
  await isOpen(client);
  await add('seen');
  await first.find('an event');
  const since = subscription.cursor;
  assert.ok(since);
  subscription.unsubscribe();
  await add('missed');
  const second = new Inbox();
  records.subscribe({ since }, { event: second.push });
  await second.find('the missed event');
  assert.deepEqual(second.items.map((event) => event.data.title), ['missed']);
});

test('a refused subscription says why', async (t) => {
  const { records } = await world(t);
  const query = records.live({ filter: 'nothing = 1' });
  await assert.rejects(query.ready, (error) => error.name === 'SnackBaseError' && error.message.includes('nothing'));
  assert.equal(query.error.code, 'invalid_filter');
});

test('several subscriptions of one collection stand side by side', async (t) => {
  const { client, records, add } = await world(t);
  const [high, low] = [new Inbox(), new Inbox()];
  records.subscribe({ filter: 'priority > 5' }, { event: high.push });
  records.subscribe({ filter: 'priority <= 5', fields: ['priority'] }, { event: low.push });
  await isOpen(client);
  await add('a', 9);
  await add('b', 1);
  assert.equal((await high.find('the high one')).data.title, 'a');
  const event = await low.find('the low one');
  assert.equal(event.data.priority, 1);
  assert.equal(event.data.title, undefined);
  assert.equal(high.items.length + low.items.length, 2);
});

test('caughtUp resolves with the change in sight, and also for a change that is out of sight', async (t) => {
  const { records, add } = await world(t);
  const query = records.live({ filter: 'priority > 5' });
  await query.ready;
  const high = await add('high', 9);
  await query.caughtUp(high.id, high.updated_at);
  assert.deepEqual(titles(query), ['high']);
  const low = await add('low', 1);
  await query.caughtUp(low.id, low.updated_at);
  assert.deepEqual(titles(query), ['high']);
  await records.delete(high.id);
  await query.caughtUp(high.id);
  assert.deepEqual(titles(query), []);
});

test('another user starts over: nothing of the first one is left', async (t) => {
  const { name, client, records, add } = await world(t);
  const other = await server.register();
  await add('mine');
  const query = records.live();
  await query.ready;
  await client.auth.signOut();
  await shows(query, []);
  await other.create(name, { title: 'theirs' });
  await client.auth.signIn(other.credentials);
  await shows(query, ['theirs']);
});
