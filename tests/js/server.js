// A server of one's own for tests in JavaScript, and people who call its API. It needs no packages.
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

export const PASSWORD = 'Correct-Horse-7';
export const SUPERADMIN = { account: 'system', email: 'root@example.com', password: 'Superadmin-Pass-1' };
const PATIENCE = 30_000;

/** A name that no other test uses. */
export function unique(prefix = 't') {
  return `${prefix}${randomBytes(5).toString('hex')}`;
}

/** Repeats `probe` until it returns something truthy. */
export async function eventually(what, probe) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`gave up waiting: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Fails when `promise` does not settle in time. */
export async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`too slow: ${what}`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error that `promise` is rejected with. */
export async function failure(promise) {
  try {
    await within('a refusal', promise);
  } catch (error) {
    return error;
  }
  return assert.fail('this should have failed');
}

const servers = [];

// At the top level, since a hook that is added while another hook runs belongs to nothing.
after(() => Promise.all(servers.map((server) => server.stop())));

/** Starts a server that lives until the test file ends. */
export async function startProcess(env = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'snackbase-js-'));
  const server = new Server(folder, await freePort(), env);
  servers.push(server);
  await server.start();
  return server;
}

/** The same, with its superadmin signed in. */
export async function startServer(env = {}) {
  const server = await startProcess(env);
  await server.signIn(SUPERADMIN).then((admin) => (server.admin = admin));
  return server;
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

/** The server refuses settings that it does not know, and ours are for the tests only. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SNACKBASE_')));
}

class Server {
  constructor(folder, port, env) {
    this.folder = folder;
    this.port = port;
    this.env = env;
    this.url = `http://127.0.0.1:${port}`;
  }

  async start() {
    const binary = process.env.SNACKBASE_BIN;
    assert.ok(binary, 'set SNACKBASE_BIN to the server binary');
    const logFile = join(this.folder, 'server.log');
    this.log = await open(logFile, 'a');
    const child = spawn(resolve(binary), ['serve'], {
      cwd: this.folder,
      stdio: ['ignore', this.log.fd, this.log.fd],
      env: this.environment(),
    });
    this.child = child;
    this.ended = new Promise((done) => child.once('exit', done));
    const answers = async () => {
      if (child.exitCode !== null) assert.fail(`the server ended:\n${await readFile(logFile, 'utf8')}`);
      return fetch(`${this.url}/health`).then((response) => response.ok, () => false);
    };
    await eventually('the server to answer /health', answers, 30_000);
  }

  /** The environment of the process, and of commands that use the same database. */
  environment() {
    const database = process.env.SNACKBASE_TEST_DATABASE_URL;
    return {
      ...withoutSettings(process.env),
      SNACKBASE_HOST: '127.0.0.1',
      SNACKBASE_PORT: String(this.port),
      SNACKBASE_DATA_DIR: join(this.folder, 'data'),
      SNACKBASE_SUPERADMIN_EMAIL: SUPERADMIN.email,
      SNACKBASE_SUPERADMIN_PASSWORD: SUPERADMIN.password,
      // Servers that share a database must agree on the key that signs tokens.
      ...(database && { SNACKBASE_DATABASE_URL: database, SNACKBASE_SECRET_KEY: 'a secret for tests, long enough to sign' }),
      ...this.env,
    };
  }

  /** Ends the process as a crash would. */
  async kill() {
    process.kill(this.child.pid, 'SIGKILL');
    await this.ended;
    await this.log.close();
  }

  async stop() {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(child.pid, 'SIGTERM');
      await within('the server to stop', this.ended, 15_000).catch(() => process.kill(child.pid, 'SIGKILL'));
      await this.log.close();
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Sends a request and returns the body of the answer; fails unless it is one of success. */
  async send(method, path, body, token) {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  async signIn(credentials) {
    const session = await this.send('POST', 'auth/login', credentials);
    return new Person(this, session, credentials);
  }

  /** The first user of a new account. */
  async register() {
    const account = unique('acc-');
    const email = `${account}@example.com`;
    const body = { email, password: PASSWORD, account_name: account, account_slug: account };
    await this.send('POST', 'auth/register', body);
    return this.signIn({ account, email, password: PASSWORD });
  }

  /** One more user of somebody's account. */
  async colleague(person) {
    const email = `${unique('mail-')}@example.com`;
    const body = { email, password: PASSWORD, account_id: person.account.id, role_id: 2, email_verified: true };
    await this.admin.send('POST', 'users', body);
    return this.signIn({ account: person.account.slug, email, password: PASSWORD });
  }

  /** A collection that everybody may use; returns its name. */
  async collection(fields, rules = {}) {
    const open = { list_rule: '', view_rule: '', create_rule: '', update_rule: '', delete_rule: '' };
    const body = { name: unique('c'), fields, ...open, ...rules };
    await this.admin.send('POST', 'collections', body);
    return body.name;
  }
}

/** Somebody who is signed in. */
class Person {
  constructor(server, session, credentials) {
    Object.assign(this, { server, credentials, token: session.token, user: session.user, account: session.account });
  }

  send(method, path, body) {
    return this.server.send(method, path, body, this.token);
  }

  create(collection, data) {
    return this.send('POST', `records/${collection}`, data);
  }

  update(collection, id, data) {
    return this.send('PATCH', `records/${collection}/${id}`, data);
  }

  delete(collection, id) {
    return this.send('DELETE', `records/${collection}/${id}`);
  }
}
