// Client classes as people copy them from guides, without the SDK. They must work as they are written.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { eventually, startServer, within } from './harness.js';

const FIELDS = [{ name: 'title', type: 'text' }];

class RealtimeClient {
  constructor(baseUrl, token) {
    this.url = `${baseUrl.replace('http', 'ws')}/api/v1/realtime/ws?token=${token}`;
    this.handlers = new Map();
  }

  connect() {
    return new Promise((resolve, reject) => {
      this.ws = new WebSocket(this.url);
      this.ws.onopen = () => resolve();
      this.ws.onerror = (error) => reject(error);
      this.ws.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (message.type === 'heartbeat') return;
        const [collection, operation] = message.type.split('.');
        this.handlers.get(collection)?.(operation, message.data, message);
      };
    });
  }

  subscribe(collection, handler, operations = ['create', 'update', 'delete']) {
    this.handlers.set(collection, handler);
    this.ws.send(JSON.stringify({ action: 'subscribe', collection, operations }));
  }

  unsubscribe(collection) {
    this.handlers.delete(collection);
    this.ws.send(JSON.stringify({ action: 'unsubscribe', collection }));
  }

  ping() {
    this.ws.send(JSON.stringify({ action: 'ping' }));
  }

  close() {
    this.ws.close();
  }
}

class EventStream {
  constructor(baseUrl, token, collections) {
    const wanted = collections.map((collection) => `&collection=${collection}`).join('');
    this.source = new EventSource(`${baseUrl}/api/v1/realtime/subscribe?token=${token}${wanted}`);
    this.events = [];
    this.opened = new Promise((resolve) => {
      this.source.onopen = resolve;
    });
    this.source.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === 'heartbeat') return;
      this.events.push(message);
    };
  }

  close() {
    this.source.close();
  }
}

async function api(server, token, method, path, body) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

describe('clients as guides show them', () => {
  let server;
  let token;
  let posts;
  let comments;
  before(async () => {
    server = await startServer({ SNACKBASE_REALTIME_HEARTBEAT_SECONDS: '1' });
    const user = await server.newUser();
    ({ token } = user.internalAuthManager);
    [{ name: posts }, { name: comments }] = [await server.collection(FIELDS), await server.collection(FIELDS)];
  });

  test('a WebSocket class with the token in the URL', async () => {
    const client = new RealtimeClient(server.url, token);
    await within('the connection', client.connect());
    try {
      const seen = [];
      let heartbeats = 0;
      client.ws.addEventListener('message', ({ data }) => {
        if (JSON.parse(data).type === 'heartbeat') heartbeats += 1;
      });
      client.subscribe(posts, (operation, data) => seen.push([operation, data.id]));
      client.ping();
      // Acknowledgements, too, go through `type.split`, and an exception there would end the process.
      const first = await eventually('the subscription', async () => {
        const record = await api(server, token, 'POST', `/records/${posts}`, { title: 'probe' });
        return seen.length > 0 && record;
      });
      await eventually('the last probe', () => seen.some(([, id]) => id === first.id));
      const record = await api(server, token, 'POST', `/records/${posts}`, { title: 'new' });
      await api(server, token, 'PATCH', `/records/${posts}/${record.id}`, { title: 'changed' });
      await api(server, token, 'DELETE', `/records/${posts}/${record.id}`);
      await eventually('the delete', () => seen.some(([operation, id]) => operation === 'delete' && id === record.id));
      const operations = seen.filter(([, id]) => id === record.id).map(([operation]) => operation);
      assert.deepEqual(operations, ['create', 'update', 'delete']);
      await eventually('a heartbeat', () => heartbeats > 0);
      client.unsubscribe(posts);
    } finally {
      client.close();
    }
  });

  test('an EventSource class with repeated collections', async () => {
    const stream = new EventStream(server.url, token, [posts, comments]);
    let heartbeats = 0;
    stream.source.addEventListener('heartbeat', () => {
      heartbeats += 1;
    });
    try {
      await within('the stream', stream.opened);
      await eventually('a heartbeat', () => heartbeats > 0);
      const post = await api(server, token, 'POST', `/records/${posts}`, { title: 'post' });
      const comment = await api(server, token, 'POST', `/records/${comments}`, { title: 'comment' });
      await api(server, token, 'DELETE', `/records/${posts}/${post.id}`);
      await eventually('three events', () => stream.events.length >= 3);
      const found = stream.events.map(({ type, data }) => [type, data.id]);
      assert.deepEqual(found, [
        [`${posts}.create`, post.id],
        [`${comments}.create`, comment.id],
        [`${posts}.delete`, post.id],
      ]);
      assert.equal(stream.events[0].data.title, 'post');
    } finally {
      stream.close();
    }
  });

  test('a bad token is refused before the upgrade', async () => {
    const client = new RealtimeClient(server.url, 'nonsense');
    await assert.rejects(within('the refusal', client.connect()));
    const response = await fetch(`${server.url}/api/v1/realtime/subscribe?token=nonsense&collection=${posts}`);
    assert.equal(response.status, 401);
    assert.equal(typeof (await response.json()).detail, 'string');
  });
});
