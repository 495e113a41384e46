// A page that came over plain HTTP from another machine has neither locks nor crypto.randomUUID: two tabs stay signed in
// all the same, and writes wait. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../tests/js/server.js';
import { openTab, startBrowser, startSite } from './browser.js';
import { FIELDS, startShortLived } from './support.js';

const TOKEN_SECONDS = 3;
const LIVES = 4;

test('tabs without locks refresh side by side', async (t) => {
  const pages = {};
  const site = await startSite(t, pages);
  const server = await startShortLived(TOKEN_SECONDS, { SNACKBASE_CORS_ORIGINS: site.origin });
  const collection = await server.collection([...FIELDS, { name: 'client_id', type: 'text', unique: true }]);
  const person = await server.register();
  pages['/'] = () => `<!doctype html><meta charset="utf-8"><script type="module">
    import { OfflineQueue, SnackBase } from '/snackbase.js';
    const client = new SnackBase('${server.url}');
    const queue = new OfflineQueue(client);
    const world = (globalThis.world = { client, queue, told: [], query: queue.live('${collection}') });
    client.auth.onChange((user, event) => world.told.push(event));
    await client.auth.ready;
    world.isReady = true;
  </script>`;
  const context = await (await startBrowser(t)).newContext();
  await context.addInitScript(() => {
    delete globalThis.Navigator.prototype.locks;
    delete globalThis.Crypto.prototype.randomUUID;
  });
  const problems = [];
  const tabs = [await openTab(context, site.origin, problems), await openTab(context, site.origin, problems)];
  for (const tab of tabs) await tab.waitForFunction(() => globalThis.world?.isReady);
  assert.equal(await tabs[0].evaluate(() => globalThis.navigator.locks), undefined);
  await tabs[0].evaluate((credentials) => globalThis.world.client.auth.signIn(credentials), person.credentials);
  const begun = Date.now();
  for (let index = 0; Date.now() - begun < LIVES * TOKEN_SECONDS * 1_000; index += 1) {
    await tabs[index % 2].evaluate(([name, title]) => globalThis.world.queue.create(name, { title }), [collection, `${index}`]);
    await new Promise((done) => setTimeout(done, 500));
  }
  const stored = async () => (await person.server.admin.send('GET', `records/${collection}?limit=100`)).items.length;
  for (const tab of tabs) {
    await tab.evaluate(() => globalThis.world.queue.flushed());
    await eventually('all records', async () => (await tab.evaluate(() => globalThis.world.query.items.length)) === (await stored()));
    assert.deepEqual(await tab.evaluate(() => globalThis.world.told), ['signed-in']);
  }
  assert.ok((await stored()) >= LIVES);
  assert.deepEqual(problems, []);
});
