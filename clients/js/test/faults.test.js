// Faults that earlier clients had: connections that never come back, too many refreshes, silence about a refusal.
// SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { before, test } from 'node:test';

import { eventually } from '../../../tests/js/server.js';
import { FIELDS, Inbox, WebSocket, clientOf, isOpen, line, shows, signedIn, startShortLived } from './support.js';

let server;
before(async () => {
  server = await startShortLived(5);
});

/** As in Node 22: after a refused connection or handshake there is an `error`, and no `close` at all. */
class NeverCloses extends WebSocket {
  set onclose(listener) {
    let wasOpen = false;
    this.addEventListener('open', () => (wasOpen = true));
    this.addEventListener('close', (event) => wasOpen && listener(event));
  }
}

test('a connection is made again after a refused attempt that is never closed', async (t) => {
  const { url, cut, allow } = await line(t, server.url);
  const name = await server.collection(FIELDS);
  const person = await server.register();
  const client = await signedIn(t, url, person, { WebSocket: NeverCloses });
  const query = client.collection(name).live();
  await query.ready;
  const states = new Inbox();
  client.realtime.onState(states.push);
  cut();
  await eventually('two refused attempts', () => states.items.filter((state) => state === 'connecting').length >= 2);
  await person.create(name, { title: 'meanwhile' });
  allow();
  await shows(query, ['meanwhile']);
});

test('a handshake that is never answered is given up', async (t) => {
  const person = await server.register();
  let accepted = 0;
  const deaf = createServer((socket) => {
    accepted += 1;
    socket.on('error', () => undefined).resume();
  });
  await new Promise((done) => deaf.listen(0, '127.0.0.1', done));
  t.after(() => deaf.close());
  // Requests reach the server; the WebSocket does not.
  class Deaf extends WebSocket {
    constructor(_url, protocols) {
      super(`ws://127.0.0.1:${deaf.address().port}/`, protocols);
    }
  }
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const client = clientOf(t, server.url, { WebSocket: Deaf });
  await client.auth.signIn(person.credentials);
  client.collection('whatever').live();
  const settled = (what, probe) => until(what, () => (t.mock.timers.tick(1_000), probe()));
  await settled('a second attempt', () => accepted >= 2);
});

/** Waits without timers, which are mocked. */
async function until(what, probe) {
  for (let turn = 0; turn < 5_000; turn += 1) {
    if (probe()) return;
    await new Promise((done) => setImmediate(done));
    await fetch(`${server.url}/health`).then((response) => response.text());
  }
  assert.fail(`gave up waiting: ${what}`);
}

test('a short token is renewed once a life, not every second', async (t) => {
  const name = await server.collection(FIELDS);
  let refreshes = 0;
  const fetch = (url, options) => {
    if (url.endsWith('/auth/refresh')) refreshes += 1;
    return globalThis.fetch(url, options);
  };
  const client = await signedIn(t, server.url, await server.register(), { fetch });
  await client.collection(name).live().ready;
  const begun = Date.now();
  await eventually('two refreshes', () => refreshes >= 2);
  assert.ok(Date.now() - begun >= 5_000, 'two refreshes within one life');
});

test('a refused API key is told to the subscriptions', async (t) => {
  const name = await server.collection(FIELDS);
  const client = clientOf(t, server.url, { apiKey: 'sb_sk_wrong' });
  const query = client.collection(name).live();
  await assert.rejects(query.ready, (error) => error.status === 401);
  assert.equal(client.realtime.state, 'idle');
});

test('a refused session is told while the server refuses every handshake', async (t) => {
  const name = await server.collection(FIELDS);
  const person = await server.register();
  const { url, cut, allow } = await line(t, server.url);
  const client = await signedIn(t, url, person);
  const inbox = new Inbox();
  client.auth.onChange((_user, event) => inbox.push(event));
  await client.collection(name).live().ready;
  await isOpen(client);
  cut();
  await eventually('the break', () => client.realtime.state !== 'open');
  // The password is set by somebody else: every session of the user ends.
  await server.admin.send('PUT', `users/${person.user.id}/password`, { new_password: 'Another-Horse-8' });
  allow();
  await inbox.find('the end', (event) => event === 'expired');
  assert.deepEqual(inbox.items, ['expired']);
});
