// An instance with fifty collections and a hundred thousand records.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessProblems } from './support/axe.js';
import { liveDot } from './support/browser.js';
import { frameTimes } from './support/frames.js';
import { seedLarge } from './support/seed.js';
import { startSignedIn } from './support/signed-in.js';

const RECORDS = Number(process.env.E2E_RECORDS ?? 100_000);

let setting;
before(async () => {
  setting = await startSignedIn();
  await seedLarge(setting.api, { records: RECORDS });
  setting.page.setDefaultTimeout(30_000);
});
after(() => setting?.stop());

const loaded = (page) =>
  page.waitForFunction(() => document.querySelectorAll('[role=row]').length > 5 && !document.querySelector('[role=grid] [class*=bone]'));

test('a grid over many records', async (t) => {
  const { page, server, api, complaints } = setting;
  const grid = page.getByRole('grid');

  await t.test('shows the total and only what is in view', async () => {
    await page.goto(`${server.origin}/admin/collections/items/records`);
    await page.getByText(`${RECORDS.toLocaleString('en')} records`).waitFor();
    await loaded(page);
    assert.ok((await page.getByRole('row').count()) < 80);
  });

  await t.test('jumps to the end and back, and goes on page by page', async () => {
    for (const top of [34 * RECORDS, 34 * 120, 34 * 220, 0]) {
      await grid.evaluate((element, to) => {
        element.scrollTop = to;
      }, top);
      await page.waitForTimeout(120);
      await loaded(page);
    }
    const titles = new Set();
    for (let at = 0; at < 300; at += 15) {
      await grid.evaluate((element, to) => {
        element.scrollTop = to;
      }, 34 * at);
      await page.waitForTimeout(100);
      await loaded(page);
      for (const text of await page.getByText(/^Item \d{6}/).allInnerTexts()) titles.add(text);
    }
    // Every record between the first and the last that was seen was there once.
    const numbers = [...titles].map((text) => Number(text.slice(5, 11))).sort((a, b) => a - b);
    assert.ok(numbers.length >= 300, `saw ${numbers.length}`);
  });

  await t.test('stays smooth', async () => {
    await grid.evaluate((element) => {
      element.scrollTop = 0;
    });
    await loaded(page);
    const box = await grid.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const times = await frameTimes(page, async () => {
      for (let step = 0; step < 150; step += 1) await page.mouse.wheel(0, 120);
      await loaded(page);
    });
    const words = Object.entries(times).map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`);
    t.diagnostic(`scrolling ${RECORDS.toLocaleString('en')} records, ms between frames: ${words.join(', ')}`);
    assert.ok(times.frames > 60, `${times.frames} frames were drawn`);
    // Generous: the machine may be busy with other things.
    assert.ok(times.p50 < 50, `median frame ${times.p50} ms`);
  });

  await t.test('searches, filters and sorts by several columns', async () => {
    await page.getByRole('textbox', { name: 'Search records' }).fill('000123');
    await page.getByText('1 record', { exact: true }).waitFor();
    await page.getByRole('gridcell', { name: /Item 000123/ }).waitFor();
    await page.getByRole('textbox', { name: 'Search records' }).fill('');
    await page.getByRole('textbox', { name: 'Filter' }).fill('amount < 300');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'amount', exact: true }).click();
    await page.getByRole('button', { name: 'title', exact: true }).click({ modifiers: ['Shift'] });
    await page.waitForURL(/sort=amount%2Ctitle/);
    await loaded(page);
    const first = await page.getByRole('row').nth(1).getByRole('gridcell').allInnerTexts();
    assert.equal(first[3], '0');
  });

  await t.test('shows what others change, with a highlight, where one is', async () => {
    await page.goto(`${server.origin}/admin/collections/items/records`);
    await liveDot(page).waitFor();
    await loaded(page);
    const { items } = await api.get('/records/items?limit=1');
    let seen = false;
    const flashed = page.waitForFunction(() => document.querySelector('[data-flash]') !== null).then(() => {
      seen = true;
    });
    // What changes while the list is read is shown as it is, without a highlight: another change follows.
    for (let attempt = 1; !seen && attempt <= 20; attempt += 1) {
      await api.patch(`/records/items/${items[0].id}`, { note: `Changed elsewhere ${attempt}` });
      await page.getByRole('gridcell', { name: `Changed elsewhere ${attempt}` }).waitFor();
      await page.waitForTimeout(200);
    }
    await flashed;
    await api.post('/records/items', { title: 'Made elsewhere' });
    await page.getByRole('button', { name: 'Show 1 new' }).click();
    await page.getByRole('gridcell', { name: 'Made elsewhere' }).waitFor();
  });

  await t.test('shows what changed between the list and the subscription', async () => {
    let letGo;
    const changed = new Promise((resolve) => {
      letGo = resolve;
    });
    const tickets = '**/realtime/ticket';
    await page.route(tickets, async (route) => {
      await changed;
      await route.continue();
    });
    await page.goto(`${server.origin}/admin/collections/items/records`);
    await loaded(page);
    const { items } = await api.get('/records/items?limit=1');
    await api.patch(`/records/items/${items[0].id}`, { note: 'Changed unheard' });
    letGo();
    await liveDot(page).waitFor();
    await page.getByRole('gridcell', { name: 'Changed unheard' }).waitFor();
    await page.unroute(tickets);
  });

  await t.test('narrows fifty collections down in the sidebar', async () => {
    await page.getByLabel('Narrow the collections down').fill('_42');
    await page.getByRole('link', { name: 'collection_42' }).click();
    await page.waitForURL(/collection_42/);
    await page.getByText('No records yet').waitFor();
  });

  await t.test('keeps nobody out', async () => {
    await page.goto(`${server.origin}/admin/collections/items/records`);
    await loaded(page);
    assert.deepEqual(await accessProblems(page), []);
    await page.goto(`${server.origin}/admin/collections`);
    await page.getByRole('table').waitFor();
    assert.deepEqual(await accessProblems(page), []);
  });
  assert.deepEqual(complaints, []);
});
