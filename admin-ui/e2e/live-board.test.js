// The example that the README sends newcomers to: two people at one board.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { startSignedIn, EMAIL, PASSWORD } from './support/signed-in.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
// An origin that the server lets call it as it comes.
const SITE = 'http://localhost:3000';
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

let world;
before(async () => {
  world = await startSignedIn();
  await run('sh', [join(root, 'examples/live-board/setup.sh'), world.server.origin], {
    env: { ...process.env, SNACKBASE_SUPERADMIN_EMAIL: EMAIL, SNACKBASE_SUPERADMIN_PASSWORD: PASSWORD },
  });
});
after(() => world?.stop());

/** A window of its own, with the repository's files as a site. */
async function window() {
  // What is served by the test does not count as local to the browser, so that it would ask before the page may call a local server.
  const permissions = ['local-network-access'];
  const context = await world.context.browser().newContext({ viewport: { width: 900, height: 640 }, permissions });
  await context.route(`${SITE}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname.replace(/\/$/, '/index.html');
    await route.fulfill({ contentType: TYPES[path.split('.').at(-1)], body: await readFile(join(root, path)) });
  });
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => {
    problems.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(`${SITE}/examples/live-board/`);
  await page.getByLabel('Server').fill(world.server.origin);
  await page.getByLabel('Password').fill('Correct-Horse-7');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('● live').waitFor();
  return { page, problems };
}

test('two windows at one board', async () => {
  const [one, two] = [await window(), await window()];
  await two.page.getByText('Here: demo@example.com').waitFor();
  await one.page.getByRole('button', { name: 'Add a note' }).click();
  await one.page.locator('.note').waitFor();
  const note = two.page.locator('.note');
  await note.waitFor();
  await one.page.locator('.note').dblclick();
  await one.page.keyboard.type('Buy flour');
  await one.page.locator('header').click();
  await two.page.getByText('Buy flour').waitFor();

  const before = await note.boundingBox();
  const held = await one.page.locator('.note').boundingBox();
  await one.page.mouse.move(held.x + 60, held.y + 60);
  await one.page.mouse.down();
  await one.page.mouse.move(held.x > 300 ? 120 : 600, 300, { steps: 5 });
  await one.page.mouse.up();
  await two.page.waitForFunction((x) => Math.abs(document.querySelector('.note').getBoundingClientRect().x - x) > 50, before.x);
  if (process.env.E2E_PICTURES) await two.page.screenshot({ path: `${process.env.E2E_PICTURES}/live-board.png` });

  await two.page.getByRole('button', { name: 'Remove' }).click();
  await one.page.locator('.note').waitFor({ state: 'detached' });
  assert.deepEqual([...one.problems, ...two.problems], []);
});
