// Against the real server. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';

import { Inbox, eventually, startServer } from '../../../tests/sdk/harness.js';
import { RealtimeClient } from '../dist/index.js';

const server = await startServer();
const fields = [
  { name: 'title', type: 'text' },
  { name: 'priority', type: 'number' },
];

/** A collection, a signed-in SDK client, and a realtime client whose line can be cut. */
async function world(t) {
  const { name } = await server.collection(fields);
  const sdk = server.client();
  const { credentials } = await server.register();
  const { token } = await sdk.login(credentials);
  const sockets = [];
  class Tracked extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  }
  const realtime = new RealtimeClient({ url: server.url, token: () => token, WebSocket: Tracked });
  t.after(() => realtime.close());
  const cut = () => sockets.at(-1).terminate();
  const add = (title, priority = 0) => sdk.records.create(name, { title, priority });
  return { name, sdk, realtime, cut, add };
}

const titles = (query) => query.items.map((item) => item.title);

/** Waits until the query shows these titles, in this order. */
function shows(query, expected) {
  const same = () => JSON.stringify(titles(query)) === JSON.stringify(expected);
  return eventually(`${JSON.stringify(expected)}, not ${JSON.stringify(titles(query))}`, same);
}

test('a live query holds what the list would return, in its order', async (t) => {
  const { name, sdk, realtime, add } = await world(t);
  const low = await add('low', 1);
  await add('high', 9);
  await add('hidden', -1);
  const query = realtime.liveQuery(name, { filter: 'priority >= 0', sort: '-priority' });
  await query.ready;
  assert.deepEqual(titles(query), ['high', 'low']);

  await add('middle', 5);
  await shows(query, ['high', 'middle', 'low']);
  await sdk.records.patch(name, low.id, { priority: 10 });
  await shows(query, ['low', 'high', 'middle']);
  await sdk.records.patch(name, low.id, { priority: -5 });
  await shows(query, ['high', 'middle']);
  await sdk.records.patch(name, low.id, { priority: 7 });
  await shows(query, ['high', 'low', 'middle']);
  await sdk.records.delete(name, low.id);
  await shows(query, ['high', 'middle']);
});

test('what happens while the line is down arrives afterwards, in order, once', async (t) => {
  const { name, realtime, cut, add } = await world(t);
  const inbox = new Inbox();
  const live = new Inbox();
  realtime.subscribe(name, {}, { event: inbox.push, live: live.push });
  await eventually('the connection', () => realtime.state === 'open');
  await add('before');
  await inbox.find('the first event');
  cut();
  await eventually('the break', () => realtime.state !== 'open');
  for (let index = 0; index < 20; index += 1) await add(`missed ${index}`);
  await eventually('the connection', () => realtime.state === 'open');
  await add('after');
  await inbox.find('the last event', (event) => event.data.title === 'after');
  const expected = ['before', ...Array.from({ length: 20 }, (_, index) => `missed ${index}`), 'after'];
  assert.deepEqual(inbox.items.map((event) => event.data.title), expected);
});

test('who has heard nothing yet misses nothing either', async (t) => {
  const { name, realtime, cut, add } = await world(t);
  const inbox = new Inbox();
  const subscription = realtime.subscribe(name, {}, { event: inbox.push });
  await eventually('the acknowledgement', () => subscription.cursor);
  cut();
  await eventually('the break', () => realtime.state !== 'open');
  await add('missed');
  await inbox.find('what was missed');
  assert.deepEqual(inbox.items.map((event) => event.data.title), ['missed']);
});

test('a live query shows records in the place of references', async (t) => {
  const { name, sdk, realtime, add } = await world(t);
  const reference = { name: 'about', type: 'reference', collection: name, on_delete: 'set_null' };
  const { name: notes } = await server.collection([...fields, reference]);
  const about = (await add('subject')).id;
  await sdk.records.create(notes, { title: 'first', about });
  const query = realtime.liveQuery(notes, { expand: ['about'], sort: 'title' });
  const [first] = await query.ready;
  assert.equal(first.about.title, 'subject');
  await sdk.records.create(notes, { title: 'second', about });
  await shows(query, ['first', 'second']);
  assert.deepEqual(query.items[1].about, first.about);
});

test('a live query survives breaks', async (t) => {
  const { name, sdk, realtime, cut, add } = await world(t);
  const gone = await add('gone', 1);
  const query = realtime.liveQuery(name, { sort: 'priority' });
  await query.ready;
  cut();
  await sdk.records.delete(name, gone.id);
  await add('new', 2);
  await shows(query, ['new']);
});

test('a subscription goes on from a cursor that was kept', async (t) => {
  const { name, realtime, add } = await world(t);
  const first = new Inbox();
  const subscription = realtime.subscribe(name, {}, { event: first.push });
  await eventually('the connection', () => realtime.state === 'open');
  await add('seen');
  await first.find('an event');
  const since = subscription.cursor;
  assert.ok(since);
  subscription.unsubscribe();
  await add('missed');
  const second = new Inbox();
  realtime.subscribe(name, { since }, { event: second.push });
  await second.find('the event that was missed');
  assert.deepEqual(second.items.map((event) => event.data.title), ['missed']);
});

test('a subscription that is refused says why', async (t) => {
  const { name, realtime } = await world(t);
  const query = realtime.liveQuery(name, { filter: 'nothing = 1' });
  await assert.rejects(query.ready, (error) => error.name === 'RealtimeError' && error.message.includes('nothing'));
});

test('several subscriptions of one collection stand side by side', async (t) => {
  const { name, realtime, add } = await world(t);
  const [high, low] = [new Inbox(), new Inbox()];
  realtime.subscribe(name, { filter: 'priority > 5' }, { event: high.push });
  realtime.subscribe(name, { filter: 'priority <= 5', fields: ['priority'] }, { event: low.push });
  await eventually('the connection', () => realtime.state === 'open');
  await add('a', 9);
  await add('b', 1);
  assert.equal((await high.find('the high one')).data.title, 'a');
  const event = await low.find('the low one');
  assert.equal(event.data.priority, 1);
  assert.equal(event.data.title, undefined);
  assert.equal(high.items.length + low.items.length, 2);
});
