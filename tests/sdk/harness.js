// What every test file needs: a server of its own, clients of the published SDK, and bounded waiting.
//
// SNACKBASE_BIN                 the server binary
// SNACKBASE_TEST_DATABASE_URL   optional: test on this database instead of a fresh SQLite file
//
// Names are random, so that test files may share one database.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';

import { SnackBaseClient } from '@snackbase/sdk';
import { EventSource } from 'eventsource';
import { WebSocket } from 'ws';

// The SDK expects the browser's globals; Node 20 has neither of these two.
globalThis.WebSocket ??= WebSocket;
globalThis.EventSource ??= EventSource;

export const PASSWORD = 'Correct-Horse-7';
const SUPERADMIN = { email: 'root@example.com', password: 'Superadmin-Pass-1' };
const PATIENCE = 10_000;

/** A name that no other test uses. */
export function unique(prefix = 't') {
  return `${prefix}${randomBytes(5).toString('hex')}`;
}

/** Repeats `probe` until it returns something truthy. */
export async function eventually(what, probe, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`gave up waiting: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Fails when `promise` does not settle in time. */
export async function within(what, promise, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`too slow: ${what}`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const servers = [];

// At the top level, since a hook that is added while another hook runs belongs to nothing.
after(() => Promise.all(servers.map((stop) => stop())));

/** Starts a server that lives until the test file ends. */
export async function startServer(env = {}) {
  const binary = process.env.SNACKBASE_BIN;
  assert.ok(binary, 'set SNACKBASE_BIN to the server binary');
  const folder = await mkdtemp(join(tmpdir(), 'snackbase-sdk-'));
  const logFile = join(folder, 'server.log');
  const log = await open(logFile, 'w');
  const port = await freePort();
  const database = process.env.SNACKBASE_TEST_DATABASE_URL;
  const child = spawn(resolve(binary), ['serve'], {
    cwd: folder,
    stdio: ['ignore', log.fd, log.fd],
    env: {
      ...withoutSettings(process.env),
      SNACKBASE_HOST: '127.0.0.1',
      SNACKBASE_PORT: String(port),
      SNACKBASE_DATA_DIR: join(folder, 'data'),
      SNACKBASE_SUPERADMIN_EMAIL: SUPERADMIN.email,
      SNACKBASE_SUPERADMIN_PASSWORD: SUPERADMIN.password,
      // Servers that share a database must agree on the key that signs tokens.
      ...(database && { SNACKBASE_DATABASE_URL: database, SNACKBASE_SECRET_KEY: 'a secret for tests, long enough to sign' }),
      ...env,
    },
  });
  const ended = new Promise((done) => child.once('exit', done));
  servers.push(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(child.pid, 'SIGTERM');
    await within('the server to stop', ended, 15_000).catch(() => process.kill(child.pid, 'SIGKILL'));
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });

  const url = `http://127.0.0.1:${port}`;
  const answers = async () => {
    if (child.exitCode !== null) assert.fail(`the server ended:\n${await readFile(logFile, 'utf8')}`);
    return fetch(`${url}/health`).then((response) => response.ok, () => false);
  };
  await eventually('the server to answer /health', answers, 30_000);
  return new Server(url, join(folder, 'data'));
}

/** The server refuses settings that it does not know, and ours are for the tests only. */
export function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SNACKBASE_')));
}

function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

class Server {
  constructor(url, dataFolder) {
    this.url = url;
    this.dataFolder = dataFolder;
  }

  /** A client that is not logged in. */
  client(config = {}) {
    return new SnackBaseClient({ baseUrl: this.url, storageBackend: 'memory', ...config });
  }

  /** A client of the superadmin. */
  async superadmin() {
    this.admin ??= (async () => {
      const client = this.client();
      await client.login({ account: 'system', ...SUPERADMIN });
      return client;
    })();
    return this.admin;
  }

  /** Registers an account with one user. */
  async register() {
    const slug = unique('acc-');
    const email = `${slug}@example.com`;
    const registered = await this.client().register({
      email,
      password: PASSWORD,
      account_name: `Account ${slug}`,
      account_slug: slug,
    });
    return { ...registered, credentials: { account: slug, email, password: PASSWORD } };
  }

  /** A logged-in client of a new account. */
  async newUser() {
    const { credentials } = await this.register();
    const client = this.client();
    await client.login(credentials);
    return client;
  }

  /** A collection that everybody who is logged in may use. */
  async collection(fields, rules = {}) {
    const admin = await this.superadmin();
    const rule = "@request.auth.id != ''";
    return admin.collections.create({
      name: unique('c'),
      fields,
      list_rule: rule,
      view_rule: rule,
      create_rule: rule,
      update_rule: rule,
      delete_rule: rule,
      ...rules,
    });
  }
}

/** Counts the HTTP requests that are sent while `action` runs. */
export async function countRequests(action) {
  const original = globalThis.fetch;
  let count = 0;
  globalThis.fetch = (...args) => {
    count += 1;
    return original(...args);
  };
  try {
    await action();
  } finally {
    globalThis.fetch = original;
  }
  return count;
}

/** The error that `promise` is rejected with. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('this should have failed');
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
