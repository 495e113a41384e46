import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { Inbox, eventually, startServer, within } from './harness.js';

const TITLE = [{ name: 'title', type: 'text' }];

/** Connects, runs `body`, and disconnects even when it fails: an open socket would keep the process alive. */
async function connected(client, body) {
  try {
    await within('the connection', client.realtime.connect());
    await eventually('the connected state', () => client.realtime.getState() === 'connected');
    await body();
  } finally {
    client.realtime.disconnect();
  }
}

describe('realtime over WebSocket', () => {
  let server;
  before(async () => {
    server = await startServer();
  });

  test('subscribe and unsubscribe resolve', async () => {
    const client = await server.newUser();
    const { name } = await server.collection(TITLE);
    await connected(client, async () => {
      await within('subscribe', client.realtime.subscribe(name), 4000);
      assert.deepEqual(client.realtime.getSubscriptions(), [name]);
      await within('unsubscribe', client.realtime.unsubscribe(name), 4000);
    });
  });

  test('create, update and delete arrive with their data, in order', async () => {
    const client = await server.newUser();
    const { name } = await server.collection(TITLE);
    const [messages, created, updated, deleted, any, all] = Array.from({ length: 6 }, () => new Inbox());
    client.realtime.on('message', messages.push);
    client.realtime.on(`${name}.create`, created.push);
    client.realtime.on(`${name}.update`, updated.push);
    client.realtime.on(`${name}.delete`, deleted.push);
    client.realtime.on(`${name}.*`, any.push);
    client.realtime.on('*', all.push);
    await connected(client, async () => {
      await client.realtime.subscribe(name);
      const record = await client.records.create(name, { title: 'one' });
      await client.records.patch(name, record.id, { title: 'two' });
      await client.records.delete(name, record.id);
      assert.equal((await created.find('the create')).title, 'one');
      assert.equal((await updated.find('the update')).title, 'two');
      assert.deepEqual(await deleted.find('the delete'), { id: record.id });
      assert.equal(any.items.length, 3);
      assert.equal(all.items.length, 3);
      const types = messages.items.map((message) => message.type);
      assert.deepEqual(types, [`${name}.create`, `${name}.update`, `${name}.delete`]);
      for (const message of messages.items) {
        assert.ok(Math.abs(Date.parse(message.timestamp) - Date.now()) < 60_000);
        assert.equal(message.collection, name);
        assert.equal(message.id, record.id);
      }
      const { account_name: _, ...expected } = record;
      const { account_name: __, ...received } = created.items[0];
      assert.deepEqual(received, expected);
    });
  });

  test('subscriptions made before connecting are sent on connecting', async () => {
    const client = await server.newUser();
    const { name } = await server.collection(TITLE);
    const inbox = new Inbox();
    client.realtime.on(`${name}.create`, inbox.push);
    await client.realtime.subscribe(name, ['create']);
    await connected(client, async () => {
      // The frame is on its way but nobody waits for it: write until an event comes back.
      await eventually('an event', async () => {
        await client.records.create(name, { title: 'queued' });
        return inbox.items.length > 0;
      });
    });
  });

  test('only the operations that were asked for, and nothing after unsubscribing', async () => {
    const client = await server.newUser();
    const { name } = await server.collection(TITLE);
    const { name: marker } = await server.collection(TITLE);
    const [events, done] = [new Inbox(), new Inbox()];
    client.realtime.on(`${name}.*`, events.push);
    client.realtime.on(`${marker}.create`, done.push);
    await connected(client, async () => {
      await client.realtime.subscribe(name, ['delete']);
      await client.realtime.subscribe(marker);
      const { id } = await client.records.create(name, { title: 'a' });
      await client.records.delete(name, id);
      assert.deepEqual(await events.find('the delete'), { id });
      await client.realtime.unsubscribe(name);
      const second = await client.records.create(name, { title: 'b' });
      await client.records.delete(name, second.id);
      await client.records.create(marker, { title: 'end' });
      await done.find('the marker');
      assert.equal(events.items.length, 1);
    });
  });

  test('rules and accounts decide what arrives', async () => {
    const { name } = await server.collection(TITLE, { list_rule: "title != 'secret'" });
    const [ann, stranger] = [await server.newUser(), await server.newUser()];
    const [mine, theirs] = [new Inbox(), new Inbox()];
    ann.realtime.on(`${name}.create`, mine.push);
    stranger.realtime.on(`${name}.create`, theirs.push);
    await connected(ann, () => connected(stranger, async () => {
      await ann.realtime.subscribe(name);
      await stranger.realtime.subscribe(name);
      await ann.records.create(name, { title: 'secret' });
      await ann.records.create(name, { title: 'open' });
      await stranger.records.create(name, { title: 'elsewhere' });
      await mine.find('the open record', (record) => record.title === 'open');
      await theirs.find('their own record', (record) => record.title === 'elsewhere');
      assert.deepEqual(mine.items.map((record) => record.title), ['open']);
      assert.deepEqual(theirs.items.map((record) => record.title), ['elsewhere']);
    }));
  });

  test('a batch gives one event for each record', async () => {
    const client = await server.newUser();
    const { name } = await server.collection(TITLE);
    const inbox = new Inbox();
    client.realtime.on(`${name}.create`, inbox.push);
    await connected(client, async () => {
      await client.realtime.subscribe(name);
      const titles = Array.from({ length: 50 }, (_, index) => `t${index}`);
      await client.records.batchCreate(name, titles.map((title) => ({ title })));
      await eventually('fifty events', () => inbox.items.length >= titles.length);
      assert.deepEqual(inbox.items.map((record) => record.title), titles);
    });
  });

  test('a renewed token reconnects and keeps the subscriptions', async () => {
    const client = await server.newUser();
    const { name } = await server.collection(TITLE);
    const inbox = new Inbox();
    client.realtime.on(`${name}.create`, inbox.push);
    await connected(client, async () => {
      await client.realtime.subscribe(name);
      await client.refreshToken();
      await eventually('the new connection', () => client.realtime.getState() === 'connected');
      await eventually('an event', async () => {
        await client.records.create(name, { title: 'after' });
        return inbox.items.length > 0;
      });
    });
  });

  test('a hundred subscriptions fit on a connection', async () => {
    const client = await server.newUser();
    await connected(client, async () => {
      const names = Array.from({ length: 100 }, (_, index) => `nothing_${index}`);
      await within('the acknowledgements', Promise.all(names.map((name) => client.realtime.subscribe(name))), 4500);
    });
  });
});

describe('realtime over server-sent events', () => {
  let server;
  before(async () => {
    server = await startServer();
  });

  test('create, update and delete arrive without WebSocket', async () => {
    const { WebSocket } = globalThis;
    globalThis.WebSocket = undefined;
    try {
      const client = await server.newUser();
      const { name } = await server.collection(TITLE);
      const { name: other } = await server.collection(TITLE);
      const [messages, all, others] = [new Inbox(), new Inbox(), new Inbox()];
      client.realtime.on('message', messages.push);
      client.realtime.on('*', all.push);
      client.realtime.on(`${other}.*`, others.push);
      await client.realtime.subscribe(name);
      await client.realtime.subscribe(other, ['delete']);
      await connected(client, async () => {
        const record = await client.records.create(name, { title: 'one' });
        await client.records.patch(name, record.id, { title: 'two' });
        const { id } = await client.records.create(other, { title: 'unheard' });
        await client.records.delete(other, id);
        await client.records.delete(name, record.id);
        await messages.find('the delete', (message) => message.type === `${name}.delete`);
        const types = messages.items.map((message) => message.type);
        assert.deepEqual(types, [`${name}.create`, `${name}.update`, `${other}.delete`, `${name}.delete`]);
        assert.deepEqual(others.items, [{ id }]);
        assert.equal(all.items[0].title, 'one');
        assert.equal(all.items[1].title, 'two');
        assert.deepEqual(all.items[3], { id: record.id });
      });
    } finally {
      globalThis.WebSocket = WebSocket;
    }
  });

  test('the SDK falls back when WebSocket cannot connect', async () => {
    const { WebSocket } = globalThis;
    globalThis.WebSocket = class {
      constructor() {
        queueMicrotask(() => this.onerror(new Error('blocked by a proxy')));
      }

      close() {}
    };
    try {
      const client = await server.newUser();
      const { name } = await server.collection(TITLE);
      const inbox = new Inbox();
      client.realtime.on(`${name}.create`, inbox.push);
      await client.realtime.subscribe(name);
      await connected(client, async () => {
        await client.records.create(name, { title: 'through' });
        assert.equal((await inbox.find('the create')).title, 'through');
      });
    } finally {
      globalThis.WebSocket = WebSocket;
    }
  });
});
