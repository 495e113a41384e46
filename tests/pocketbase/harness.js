// Clients of the published `pocketbase` package.

import { EventSource } from 'eventsource';
import PocketBase from 'pocketbase';

import { eventually } from '../js/server.js';

export { eventually, failure, startServer, unique, within } from '../js/server.js';

// The package expects the browser's global.
globalThis.EventSource ??= EventSource;

const open = [];

/** A client that shows this token, or none. */
export function client(server, token = '') {
  const pb = new PocketBase(server.url);
  if (token) pb.authStore.save(token, null);
  open.push(pb);
  return pb;
}

/** Ends every connection, also those that are being made again, so that the process can end. */
export async function hangUp() {
  for (const pb of open.splice(0)) {
    pb.cancelAllRequests();
    pb.realtime.subscriptions = {};
    pb.realtime.disconnect();
  }
}

/** What a subscription was told. */
export class Inbox {
  events = [];

  push = (event) => {
    this.events.push(event);
  };

  /** The events so far, once there are so many. */
  async first(count) {
    await eventually(`${count} events, there are ${this.events.length}`, () => this.events.length >= count);
    return this.events.slice(0, count);
  }
}
