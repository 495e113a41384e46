// What the tests of the client share: a server with a collection, clients of it, and a line that can be cut.

import { createServer, connect } from 'node:net';
import { WebSocket } from 'ws';

import { PASSWORD, eventually, startServer } from '../../../tests/js/server.js';
import { SnackBase } from '../dist/index.js';

export const FIELDS = [
  { name: 'title', type: 'text' },
  { name: 'priority', type: 'number' },
];

/** A server with access tokens of some seconds, whose superadmin uses a key that lasts. */
export async function startShortLived(seconds, env = {}) {
  const server = await startServer({ SNACKBASE_ACCESS_TOKEN_EXPIRE_SECONDS: String(seconds), ...env });
  server.admin.token = (await server.admin.send('POST', 'admin/api-keys', { name: 'tests' })).key;
  return server;
}

/** A client that is closed when the test ends. */
export function clientOf(t, url, options = {}) {
  const client = new SnackBase(url, { WebSocket, ...options });
  t.after(() => client.close());
  return client;
}

/** A client that is signed in as `person`. */
export async function signedIn(t, url, person, options = {}) {
  const client = clientOf(t, url, options);
  await client.auth.signIn(person.credentials);
  return client;
}

/** A WebSocket class whose newest connection can be cut. */
export function cuttable() {
  const sockets = [];
  class Tracked extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  }
  return { WebSocket: Tracked, sockets, cut: () => sockets.at(-1).terminate() };
}

/** A storage as `localStorage` is one. */
export function memoryStorage() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

/** Forwards connections to the server until it is cut; `allow` lets new ones through again. */
export async function line(t, target) {
  const pairs = new Set();
  let isOpen = true;
  const proxy = createServer((client) => {
    client.on('error', () => undefined);
    if (!isOpen) return client.destroy();
    const server = connect(Number(new URL(target).port), '127.0.0.1').on('error', () => client.destroy());
    const pair = { client, server };
    pairs.add(pair);
    client.pipe(server).pipe(client);
    client.on('close', () => pairs.delete(pair) && server.destroy());
    server.on('close', () => client.destroy());
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const { client } of pairs) client.destroy();
    proxy.close();
  });
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    cut() {
      isOpen = false;
      for (const { client } of pairs) client.destroy();
    },
    allow() {
      isOpen = true;
    },
    get connections() {
      return pairs.size;
    },
  };
}

/** Keeps what a listener is called with, so that a test can wait for it. */
export class Inbox {
  items = [];

  push = (item) => {
    this.items.push(item);
  };

  /** The first item that fits, now or later. */
  find(what, fits = () => true) {
    return eventually(what, () => this.items.find(fits));
  }
}

export const titles = (query) => query.items.map((item) => item.title);

/** Waits until the query shows these titles, in this order. */
export function shows(query, expected) {
  const same = () => JSON.stringify(titles(query)) === JSON.stringify(expected);
  return eventually(`${JSON.stringify(expected)}`, same).catch((error) => {
    error.message += `, not ${JSON.stringify(titles(query))}`;
    throw error;
  });
}

export const isOpen = (client) => eventually('the connection', () => client.realtime.state === 'open');

export { PASSWORD, WebSocket };

/** Ends the server with `signal` and starts it again after a pause. */
export async function restart(server, signal, pauseMs = 500) {
  process.kill(server.child.pid, signal);
  await server.ended;
  await server.log.close();
  await new Promise((done) => setTimeout(done, pauseMs));
  await server.start();
}

/** Whether the server has the client at /sdk/snackbase.js; one that was built without the admin UI does not. */
export async function hasClient(server) {
  const { status } = await fetch(`${server.url}/sdk/snackbase.js`);
  return status === 200 || process.env.CI === 'true';
}
