// Two tabs of one person in Chromium, for many lives of their access token, with cut lines, a sleeping tab and restarts:
// no event is lost or comes twice. SNACKBASE_BIN names the binary. SNACKBASE_SOAK_SECONDS makes it longer.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../tests/js/server.js';
import { openTab, sleep, startBrowser, startSite } from './browser.js';
import { FIELDS, line, restart, startShortLived } from './support.js';

const SECONDS = Number(process.env.SNACKBASE_SOAK_SECONDS ?? 40);
const TOKEN_SECONDS = 5;

const pageOf = (url, collection) => `<!doctype html><meta charset="utf-8"><script type="module">
  import { SnackBase } from '/snackbase.js';
  const client = new SnackBase('${url}');
  const notes = client.collection('${collection}');
  const world = (globalThis.world = { client, events: [], told: [], resyncs: 0, states: [] });
  client.auth.onChange((user, event) => world.told.push(event));
  client.realtime.onState((state) => world.states.push(state));
  world.query = notes.live();
  world.subscription = notes.subscribe({}, {
    event: ({ cursor, operation, id }) => world.events.push([cursor, operation, id]),
    resync: () => (world.resyncs += 1),
  });
  await client.auth.ready;
  world.isReady = true;
</script>`;

/** Creates, changes and deletes until it is stopped, and notes what the server acknowledged. */
function writer(person, collection) {
  const done = [];
  const alive = [];
  let isStopped = false;
  const step = async (index) => {
    const id = alive[Math.floor(Math.random() * alive.length)];
    const kind = index % 7;
    if (id && (kind === 6 || alive.length > 200)) {
      await person.delete(collection, id);
      alive.splice(alive.indexOf(id), 1);
      done.push(`delete ${id}`);
    } else if (id && kind > 2) {
      await person.update(collection, id, { priority: index });
      done.push(`update ${id}`);
    } else {
      const record = await person.create(collection, { title: `${index}`, priority: index });
      alive.push(record.id);
      done.push(`create ${record.id}`);
    }
  };
  const running = (async () => {
    for (let index = 0; !isStopped; index += 1) {
      // Without a response, a write may have been done or not.
      await step(index).catch(() => undefined);
      await new Promise((next) => setTimeout(next, 20));
    }
  })();
  return { done, stop: () => ((isStopped = true), running) };
}

test('two tabs lose nothing and hear nothing twice', { timeout: (SECONDS + 120) * 1_000 }, async (t) => {
  const pages = {};
  const site = await startSite(t, pages);
  const server = await startShortLived(TOKEN_SECONDS, { SNACKBASE_CORS_ORIGINS: site.origin });
  const collection = await server.collection(FIELDS);
  const person = await server.register();
  const program = await server.admin.send('POST', 'admin/api-keys', { name: 'writer', account_id: person.account.id });
  person.token = program.key;
  const way = await line(t, server.url);
  pages['/'] = () => pageOf(way.url, collection);
  const context = await (await startBrowser(t)).newContext();
  const problems = [];
  const tabs = [await openTab(context, site.origin, problems)];
  await tabs[0].waitForFunction(() => globalThis.world?.isReady);
  await tabs[0].evaluate((credentials) => globalThis.world.client.auth.signIn(credentials), person.credentials);
  tabs.push(await openTab(context, site.origin, problems));
  for (const tab of tabs) await tab.waitForFunction(() => globalThis.world?.query.isLive && globalThis.world.subscription.cursor);

  const writing = writer(person, collection);
  const end = Date.now() + SECONDS * 1_000;
  const troubles = [
    async () => {
      way.cut();
      await pause(1_500);
      way.allow();
    },
    () => restart(server, 'SIGTERM'),
    async () => {
      const wake = await sleep(tabs[1]);
      await pause(TOKEN_SECONDS * 1_000 + 1_500);
      await wake();
    },
    () => restart(server, 'SIGKILL'),
    async () => {
      await tabs[0].reload();
      await tabs[0].waitForFunction(() => globalThis.world?.isReady);
    },
  ];
  let [rounds, reloads] = [0, 0];
  for (let index = 0; Date.now() < end; index += 1) {
    await pause(Math.min(4_000, end - Date.now()));
    // The last seconds are quiet; a reload forgets the events, so there is none in the last round.
    if (end - Date.now() < 9_000) continue;
    const trouble = troubles[index % troubles.length];
    rounds += 1;
    if (index % troubles.length === 4) reloads += 1;
    await trouble();
  }
  await writing.stop();

  const { items } = await listAll(person, collection);
  for (const [index, tab] of tabs.entries()) {
    const shown = () => tab.evaluate(() => globalThis.world.query.items.map(({ id, priority }) => `${id} ${priority}`).sort());
    const same = async () => JSON.stringify(await shown()) === JSON.stringify(items);
    await eventually(`the list in tab ${index}`, same);
    const { events, told, resyncs } = await tab.evaluate(() => {
      const { events, told, resyncs } = globalThis.world;
      return { events, told, resyncs };
    });
    const cursors = events.map(([cursor]) => cursor);
    assert.equal(new Set(cursors).size, cursors.length, 'an event came twice');
    const positions = cursors.map((cursor) => Number(cursor.split(':')[1]));
    assert.deepEqual(positions, positions.toSorted((a, b) => a - b), 'events came out of order');
    if (index === 1 || reloads === 0) {
      const heard = count(events.map(([, operation, id]) => `${operation} ${id}`));
      for (const [write, times] of count(writing.done)) assert.ok((heard.get(write) ?? 0) >= times, `lost: ${write}`);
      // A write of the moment of a trouble may be done without a response.
      assert.ok(events.length - writing.done.length <= 2 * rounds, `${events.length} events of ${writing.done.length} writes`);
    }
    assert.deepEqual(told.filter((event) => !['restored', 'signed-in'].includes(event)), []);
    assert.equal(resyncs, 0);
    t.diagnostic(`tab ${index}: ${events.length} events`);
  }
  t.diagnostic(`${writing.done.length} writes in ${SECONDS} s, ${SECONDS / TOKEN_SECONDS} token lives`);
  assert.deepEqual(problems, []);
});

const pause = (milliseconds) => new Promise((done) => setTimeout(done, Math.max(0, milliseconds)));

function count(items) {
  const counts = new Map();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

async function listAll(person, collection) {
  const items = [];
  let cursor = '';
  do {
    const page = await person.send('GET', `records/${collection}?limit=100&cursor=${encodeURIComponent(cursor)}`);
    items.push(...page.items.map(({ id, priority }) => `${id} ${priority}`));
    cursor = page.has_more ? page.next_cursor : null;
  } while (cursor !== null);
  return { items: items.sort() };
}
