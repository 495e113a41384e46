// What every test file needs besides a server of its own: clients of the published SDK. See ../js/server.js.

import { SnackBaseClient } from '@snackbase/sdk';
import { EventSource } from 'eventsource';
import { WebSocket } from 'ws';

import { PASSWORD, SUPERADMIN, eventually, failure, startProcess, unique, within } from '../js/server.js';

export { PASSWORD, eventually, failure, unique, within };

// The SDK expects the browser's globals; Node 20 has neither of these two.
globalThis.WebSocket ??= WebSocket;
globalThis.EventSource ??= EventSource;

/** Starts a server that lives until the test file ends. */
export async function startServer(env = {}) {
  const server = await startProcess(env);
  return new Server(server.url, server.environment());
}

class Server {
  constructor(url, environment) {
    this.url = url;
    this.environment = environment;
  }

  /** A client that is not logged in. */
  client(config = {}) {
    return new SnackBaseClient({ baseUrl: this.url, storageBackend: 'memory', ...config });
  }

  /** A client of the superadmin. */
  async superadmin() {
    this.admin ??= (async () => {
      const client = this.client();
      await client.login(SUPERADMIN);
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
