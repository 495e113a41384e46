// How connections of the unmodified package begin, change and end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Inbox, client, eventually, failure, hangUp, startServer } from './harness.js';

const FIELDS = [{ name: 'title', type: 'text' }];

let server;
before(async () => {
  server = await startServer();
});
after(hangUp);

/** A request as the package sends it, with anything in it. */
function post(body, headers = {}) {
  const text = typeof body === 'string' || body instanceof URLSearchParams || body instanceof FormData;
  return fetch(`${server.url}/api/realtime`, {
    method: 'POST',
    headers: { ...(text ? {} : { 'Content-Type': 'application/json' }), ...headers },
    body: text ? body : JSON.stringify(body),
  });
}

/** Opens a stream by hand; returns its first bytes, the client's id, and how to go on reading and hang up. */
async function stream() {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/api/realtime`, { signal: abort.signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  return { response, first: value, id: /^id:(\S+)/.exec(value)[1], reader, close: () => abort.abort() };
}

test('the stream begins with the id of the client', async () => {
  const { response, first, id, close } = await stream();
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('x-accel-buffering'), 'no');
  assert.match(id, /^[A-Za-z0-9]{40}$/);
  assert.equal(first, `id:${id}\nevent:PB_CONNECT\ndata:{"clientId":"${id}"}\n\n`);
  close();
});

test('every event names the client and its topic byte for byte', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const { id, reader, close } = await stream();
  const topic = `${notes}/*?options=${encodeURIComponent(JSON.stringify({ query: { fields: 'title' } }))}`;
  const answer = await post({ clientId: id, subscriptions: [topic] }, { Authorization: ada.token });
  assert.deepEqual([answer.status, await answer.text()], [204, '']);
  await ada.create(notes, { title: 'line\nbreak' });
  const { value } = await reader.read();
  assert.equal(value, `id:${id}\nevent:${topic}\ndata:{"record":{"title":"line\\nbreak"},"action":"create"}\n\n`);
  close();
});

test('bodies come as JSON and as forms', async () => {
  const { id, close } = await stream();
  assert.equal((await post(new URLSearchParams([['clientId', id], ['subscriptions', 'a/*']]))).status, 204);
  const form = new FormData();
  form.append('clientId', id);
  form.append('subscriptions', 'a/*');
  form.append('subscriptions', 'b/*');
  assert.equal((await post(form)).status, 204);
  assert.equal((await post({ clientId: id })).status, 204);
  close();
});

test('what is wrong with a request is said in the way of the protocol', async () => {
  const { id, close } = await stream();
  const many = Array.from({ length: 1001 }, (_, i) => `t${i}`);
  const cases = [
    [{}, 400, { clientId: 'validation_required' }],
    [{ clientId: ' ' }, 400, { clientId: 'validation_required' }],
    [{ clientId: 'x'.repeat(256) }, 400, { clientId: 'validation_length_too_long' }],
    [{ clientId: id, subscriptions: many }, 400, { subscriptions: 'validation_length_too_long' }],
    [{ clientId: 'unknown', subscriptions: [] }, 404, {}],
    ['{"clientId":', 400, {}],
  ];
  for (const [body, status, codes] of cases) {
    const headers = typeof body === 'string' ? { 'Content-Type': 'application/json' } : {};
    const response = await post(body, headers);
    const answer = await response.json();
    assert.equal(response.status, status);
    assert.deepEqual(Object.keys(answer), ['data', 'message', 'status']);
    assert.equal(answer.status, status);
    const found = Object.fromEntries(Object.entries(answer.data).map(([key, problem]) => [key, problem.code]));
    assert.deepEqual(found, codes);
  }
  const long = await (await post({ clientId: id, subscriptions: ['a', 'x'.repeat(2501)] })).json();
  assert.equal(long.data.subscriptions['1'].code, 'validation_length_too_long');
  const missing = await (await post({ clientId: 'unknown' })).json();
  assert.equal(missing.message, 'Missing or invalid client id.');
  close();
  await eventually('the end of the client', async () => (await post({ clientId: id })).status === 404);
});

test('topics that stand for nothing are taken without a word', async () => {
  const ada = await server.register();
  const { id, close } = await stream();
  const subscriptions = ['nothing/*', 'PB_CONNECT', '@oauth2', 'free text', 'a/b/c', '*', '/', 'x?options=no', 'line\nbreak/*'];
  assert.equal((await post({ clientId: id, subscriptions }, { Authorization: `Bearer ${ada.token}` })).status, 204);
  close();
});

test('a guest may become a user, and nobody else another', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const grace = await server.colleague(ada);
  const inbox = new Inbox();
  const pb = client(server);
  await pb.collection(notes).subscribe('*', inbox.push);
  const known = new Inbox();
  await client(server, ada.token).collection(notes).subscribe('*', known.push);
  await ada.create(notes, { title: 'of nobody knows which account' });
  await known.first(1);
  assert.deepEqual(inbox.events, []);
  pb.authStore.save(ada.token, null);
  await pb.realtime.subscribe('another', () => {});
  const created = await ada.create(notes, { title: 'heard' });
  assert.deepEqual((await inbox.first(1)).map((event) => event.record.id), [created.id]);
  // The same user with another token goes on.
  const again = await server.signIn(ada.credentials);
  pb.authStore.save(again.token, null);
  await pb.realtime.subscribe('one more', () => {});
  for (const token of [grace.token, '', 'nonsense']) {
    pb.authStore.save(token, null);
    const refused = await failure(pb.realtime.subscribe(`as ${token}`, () => {}));
    assert.equal(refused.status, 403);
    assert.equal(refused.response.message, "The current and the previous request authorization don't match.");
    await pb.realtime.unsubscribe(`as ${token}`).catch(() => {});
  }
  assert.equal(inbox.events.length, 1);
});

test('a visitor of an account sees what is open to everybody', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const inbox = new Inbox();
  const pb = client(server);
  pb.beforeSend = (url, options) => {
    options.headers = { ...options.headers, 'X-Account-ID': ada.account.slug };
    return { url, options };
  };
  await pb.collection(notes).subscribe('*', inbox.push);
  const created = await ada.create(notes, { title: 'open' });
  assert.equal((await inbox.first(1))[0].record.id, created.id);
});

test('whoever loses the right to be there is told nothing more', async () => {
  const ada = await server.register();
  const [grace, notes] = [await server.colleague(ada), await server.collection(FIELDS, { list_rule: "@request.auth.id != ''" })];
  const inbox = new Inbox();
  const pb = client(server, grace.token);
  await pb.collection(notes).subscribe('*', inbox.push);
  await ada.create(notes, { title: 'heard' });
  await inbox.first(1);
  const id = pb.realtime.clientId;
  await server.admin.send('DELETE', `users/${grace.user.id}`);
  // The stream ends; the package comes back as a guest.
  await eventually('another connection', () => pb.realtime.isConnected && pb.realtime.clientId !== id);
  await ada.create(notes, { title: 'unheard' });
  const open = await server.collection(FIELDS);
  const other = new Inbox();
  await client(server, ada.token).collection(open).subscribe('*', other.push);
  await ada.create(open, {});
  await other.first(1);
  assert.equal(inbox.events.length, 1);
});

test('the package comes back after a crash of the server', async () => {
  const crashing = await startServer();
  const [ada, notes] = [await crashing.register(), await crashing.collection(FIELDS)];
  const inbox = new Inbox();
  const pb = client(crashing, ada.token);
  await pb.collection(notes).subscribe('*', inbox.push);
  let lost;
  pb.realtime.onDisconnect = (topics) => {
    lost = topics;
  };
  await ada.create(notes, { title: 'before' });
  await inbox.first(1);
  const id = pb.realtime.clientId;
  await crashing.kill();
  await crashing.start();
  await eventually('another connection', () => pb.realtime.isConnected && pb.realtime.clientId !== id);
  await eventually('the topics there', async () => {
    await ada.create(notes, { title: 'after' });
    return inbox.events.some((event) => event.record.title === 'after');
  });
  assert.deepEqual(lost, [`${notes}/*`]);
});
