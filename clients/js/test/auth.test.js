// Sign-in that lasts, against the real server with access tokens of a few seconds. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { PASSWORD, eventually, failure, unique } from '../../../tests/js/server.js';
import { FIELDS, Inbox, clientOf, isOpen, line, memoryStorage, shows, signedIn, startShortLived } from './support.js';

const LIFE_SECONDS = 3;

/** A `fetch` that counts requests by path, and can be told to fail. */
function observed() {
  const counts = {};
  let failure;
  const fetch = (url, options) => {
    const { pathname } = new URL(url);
    counts[pathname] = (counts[pathname] ?? 0) + 1;
    const broken = failure?.(pathname);
    return broken ? Promise.resolve(broken) : globalThis.fetch(url, options);
  };
  return { fetch, counts, refreshes: () => counts['/api/v1/auth/refresh'] ?? 0, failWith: (next) => (failure = next) };
}

const events = (client) => {
  const inbox = new Inbox();
  client.auth.onChange((user, event) => inbox.push(`${event} ${user?.email ?? '-'}`));
  return inbox;
};

describe('sign-in', () => {
  let server;
  before(async () => {
    server = await startShortLived(LIFE_SECONDS);
  });

  test('sign-up signs in, sign-out ends it', async (t) => {
    const client = clientOf(t, server.url);
    const heard = events(client);
    const account = unique('acc-');
    const email = `${account}@example.com`;
    const user = await client.auth.signUp({ email, password: PASSWORD, account_name: 'Acme', account_slug: account });
    assert.equal(user.email, email);
    assert.equal(client.auth.account.slug, account);
    assert.equal((await client.send('GET', 'auth/me')).email, email);
    await client.auth.signOut();
    assert.equal(client.auth.user, null);
    assert.equal((await failure(client.send('GET', 'auth/me'))).status, 401);
    assert.deepEqual(heard.items, [`signed-in ${email}`, 'signed-out -']);
  });

  test('wrong credentials are refused and change nothing', async (t) => {
    const person = await server.register();
    const client = await signedIn(t, server.url, person);
    const wrong = { ...person.credentials, password: 'Wrong-Horse-7-7' };
    assert.equal((await failure(client.auth.signIn(wrong))).status, 401);
    assert.equal(client.auth.user.email, person.credentials.email);
    const refused = await failure(client.auth.signUp({ email: 'x@example.com', password: 'short', account_name: 'X' }));
    assert.ok(refused.status === 400 || refused.status === 422);
  });

  test('a session outlives many access tokens, with few refreshes', async (t) => {
    const { fetch, counts, refreshes } = observed();
    const client = await signedIn(t, server.url, await server.register(), { fetch });
    const begun = Date.now();
    await eventually('four lives', () => refreshes() >= 4);
    const lives = (Date.now() - begun) / 1_000 / LIFE_SECONDS;
    assert.ok(refreshes() <= lives * 2 + 1, `${refreshes()} refreshes in ${lives} lives`);
    await Promise.all(Array.from({ length: 10 }, () => client.send('GET', 'auth/me')));
    assert.equal(counts['/api/v1/auth/me'], 10);
  });

  test('a realtime connection outlives its token without a break', async (t) => {
    const name = await server.collection(FIELDS);
    const { fetch, refreshes } = observed();
    const client = await signedIn(t, server.url, await server.register(), { fetch });
    const query = client.collection(name).live({ sort: 'created_at' });
    await query.ready;
    const states = new Inbox();
    client.realtime.onState(states.push);
    await eventually('three lives', () => refreshes() >= 3);
    await client.collection(name).create({ title: 'later' });
    await shows(query, ['later']);
    assert.deepEqual(states.items, []);
  });

  test('a kept session is there at the next start, also when its access token has ended', async (t) => {
    const storage = memoryStorage();
    const person = await server.register();
    const first = await signedIn(t, server.url, person, { storage });
    first.close();
    await new Promise((done) => setTimeout(done, LIFE_SECONDS * 1_000 + 100));
    const second = clientOf(t, server.url, { storage });
    const heard = events(second);
    await second.auth.ready;
    assert.equal(second.auth.user.email, person.credentials.email);
    assert.equal((await second.send('GET', 'auth/me')).email, person.credentials.email);
    assert.deepEqual(heard.items, [`restored ${person.credentials.email}`]);
  });

  test('a 401 is answered with a refresh and the same request again', async (t) => {
    const { fetch, counts, failWith } = observed();
    const client = await signedIn(t, server.url, await server.register(), { fetch });
    let isRefused = true;
    failWith((path) => {
      if (path !== '/api/v1/auth/me' || !isRefused) return undefined;
      isRefused = false;
      return new Response('{"error":"Unauthorized","message":"Token expired"}', { status: 401 });
    });
    await client.send('GET', 'auth/me');
    assert.equal(counts['/api/v1/auth/me'], 2);
    assert.equal(counts['/api/v1/auth/refresh'], 1);
  });

  test('a session that the server ended is told once, by requests and by realtime', async (t) => {
    const person = await server.register();
    const name = await server.collection(FIELDS);
    const client = await signedIn(t, server.url, person);
    const heard = events(client);
    const query = client.collection(name).live();
    await query.ready;
    const sessions = await client.send('GET', 'auth/sessions');
    const current = (sessions.items ?? sessions).find((session) => session.is_current ?? session.current);
    await client.send('DELETE', `auth/sessions/${current.id}`);
    await heard.find('the end');
    await Promise.all([1, 2, 3].map(() => failure(client.send('GET', 'auth/me'))));
    assert.deepEqual(heard.items, ['expired -']);
    assert.equal(client.realtime.state, 'idle');
  });

  test('a server that cannot be reached ends no session', async (t) => {
    const { url, cut, allow } = await line(t, server.url);
    const person = await server.register();
    const client = await signedIn(t, url, person);
    const heard = events(client);
    cut();
    await new Promise((done) => setTimeout(done, LIFE_SECONDS * 1_000 + 200));
    assert.equal((await failure(client.send('GET', 'auth/me'))).code, 'network');
    assert.equal(client.auth.user.email, person.credentials.email);
    allow();
    await eventually('a request', () => client.send('GET', 'auth/me').catch(() => false));
    assert.deepEqual(heard.items, []);
  });

  test('an outage is asked about less and less often', async (t) => {
    const { url, cut } = await line(t, server.url);
    const { fetch, refreshes } = observed();
    await signedIn(t, url, await server.register(), { fetch, storage: memoryStorage() });
    cut();
    await eventually('an attempt', () => refreshes() >= 1);
    await new Promise((done) => setTimeout(done, 6_500));
    // After 1, 2 and 4 seconds.
    assert.ok(refreshes() >= 2 && refreshes() <= 3, `${refreshes()} attempts`);
  });

  test('a refresh whose response was lost is repeated', async (t) => {
    const { fetch, failWith, refreshes } = observed();
    let isLost = true;
    const lossy = async (url, options) => {
      const response = await fetch(url, options);
      if (!isLost || !url.endsWith('/auth/refresh')) return response;
      isLost = false;
      throw new TypeError('the response was lost');
    };
    const client = await signedIn(t, server.url, await server.register(), { fetch: lossy });
    await eventually('the second attempt', () => refreshes() >= 2);
    failWith(undefined);
    await eventually('a request', () => client.send('GET', 'auth/me').catch(() => false));
    assert.ok(client.auth.user);
  });

  test('a change of the role is known after refresh()', async (t) => {
    const ada = await server.register();
    const grace = await server.colleague(ada);
    const client = await signedIn(t, server.url, grace);
    const heard = events(client);
    assert.equal(client.auth.user.role, 'user');
    await server.admin.send('PUT', `users/${grace.user.id}`, { role_id: 1 }).catch(() =>
      server.admin.send('PATCH', `users/${grace.user.id}`, { role_id: 1 }));
    assert.equal((await client.auth.refresh()).role, 'admin');
    assert.deepEqual(heard.items, [`changed ${grace.credentials.email}`]);
  });

  test('nobody is signed in: the connection waits for the sign-in', async (t) => {
    const name = await server.collection(FIELDS);
    const person = await server.register();
    await person.create(name, { title: 'here' });
    const client = clientOf(t, server.url);
    const query = client.collection(name).live();
    await eventually('rest', () => client.realtime.state === 'idle');
    await client.auth.signIn(person.credentials);
    await isOpen(client);
    await shows(query, ['here']);
  });
});
