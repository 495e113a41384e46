// The to-do page of examples/todo in Chromium: sign-up, a live list in two tabs, writes while the server is away, and a
// session that outlives its tokens. SNACKBASE_BIN names the binary. SNACKBASE_SOAK_SECONDS makes it longer.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { PASSWORD, SUPERADMIN, eventually } from '../../../tests/js/server.js';
import { openTab, startBrowser, startSite } from './browser.js';
import { hasClient, line, restart, startShortLived } from './support.js';

const SECONDS = Number(process.env.SNACKBASE_SOAK_SECONDS ?? 15);
const TOKEN_SECONDS = 5;
const MAX_LINES = 60;
const EXAMPLE = new URL('../../../examples/todo/', import.meta.url);

test('the to-do page has sign-up, a live list, offline writes, and stays signed in', { timeout: (SECONDS + 120) * 1_000 }, async (t) => {
  const source = await readFile(new URL('index.html', EXAMPLE), 'utf8');
  assert.ok(source.trimEnd().split('\n').length <= MAX_LINES);
  const pages = {};
  const site = await startSite(t, pages);
  const server = await startShortLived(TOKEN_SECONDS, { SNACKBASE_CORS_ORIGINS: site.origin });
  const superadmin = { SNACKBASE_SUPERADMIN_EMAIL: SUPERADMIN.email, SNACKBASE_SUPERADMIN_PASSWORD: SUPERADMIN.password };
  await promisify(execFile)(fileURLToPath(new URL('setup.sh', EXAMPLE)), [server.url], { env: { ...process.env, ...superadmin } });
  const way = await line(t, server.url);
  const client = (await hasClient(server)) ? `${server.url}/sdk/snackbase.js` : '/snackbase.js';
  pages['/'] = () => source.replace('http://127.0.0.1:8000/sdk/snackbase.js', client).replaceAll('http://127.0.0.1:8000', way.url);

  const context = await (await startBrowser(t)).newContext();
  const problems = [];
  const one = await openTab(context, site.origin, problems);
  await one.getByPlaceholder('Account').fill('home');
  await one.getByPlaceholder('Email').fill('ada@example.com');
  await one.getByPlaceholder('Password').fill(PASSWORD);
  await one.getByRole('button', { name: 'Sign up' }).click();
  await one.getByText('ada@example.com').waitFor();
  await one.getByText('live', { exact: true }).waitFor();

  // The second tab is signed in already.
  const two = await openTab(context, site.origin, problems);
  await two.getByText('ada@example.com').waitFor();
  await add(one, 'Buy milk');
  await two.getByText('Buy milk').waitFor();
  await two.getByRole('checkbox').check();
  await eventually('the tick in the first tab', () => one.getByRole('checkbox').isChecked());

  way.cut();
  await one.getByText('offline', { exact: true }).waitFor();
  await add(one, 'Buy flour');
  await one.getByText('Buy flour').waitFor();
  // What waits is there after a reload, and in the other tab.
  await two.getByText('Buy flour').waitFor();
  await one.reload();
  await one.getByText('Buy flour').waitFor();
  way.allow();
  await two.getByText('live', { exact: true }).waitFor();
  const stored = async () => (await server.admin.send('GET', 'records/todos')).items.map((item) => item.title).sort();
  await eventually('both at the server', async () => (await stored()).join() === 'Buy flour,Buy milk');

  const begun = Date.now();
  let restarts = 0;
  while (restarts < 3 || Date.now() - begun < SECONDS * 1_000) {
    await new Promise((done) => setTimeout(done, Math.max(2_000, (SECONDS * 1_000) / 4)));
    if (restarts < 3) await restart(server, restarts % 2 === 0 ? 'SIGKILL' : 'SIGTERM', 1_000);
    restarts += 1;
    await add(one, `Entry ${restarts}!`);
    await two.getByText(`Entry ${restarts}!`).waitFor();
  }
  t.diagnostic(`${Math.round((Date.now() - begun) / 1_000 / TOKEN_SECONDS)} token lives, 3 restarts`);

  await one.getByRole('button', { name: 'Sign out' }).click();
  await two.getByRole('button', { name: 'Sign in' }).waitFor();
  await eventually('nothing is left on the page', async () => (await two.locator('li').count()) === 0);
  assert.deepEqual(problems, []);
});

async function add(page, title) {
  await page.getByPlaceholder('What is to be done?').fill(title);
  await page.getByRole('button', { name: 'Add' }).click();
}
