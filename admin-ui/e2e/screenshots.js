// Takes every page and state in light, dark, narrow and with long words: node e2e/screenshots.js <folder> [parts of names, with commas]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, openPage } from './support/browser.js';
import { signIn, startServer } from './support/server.js';
import { EMAIL, PASSWORD } from './support/signed-in.js';
import { pictures } from './pictures/pages.js';
import { seedPictures } from './pictures/seed.js';
import { stretch } from './pictures/stretch.js';

const folder = process.argv[2] ?? 'screenshots';
const parts = (process.argv[3] ?? '').split(',');
const wanted = (name) => parts.some((part) => name.includes(part));

const MODES = [
  { name: 'light', colorScheme: 'light' },
  { name: 'dark', colorScheme: 'dark' },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  { name: 'long', colorScheme: 'light' },
].filter(({ name }) => !process.env.MODES || process.env.MODES.split(',').includes(name));

const server = await startServer();
const browser = await launch();
const complaints = [];
let taken = 0;

async function take(page, mode, name) {
  await page.getByRole('heading', { includeHidden: true }).first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => !document.querySelector('.mantine-Skeleton-root'));
  // Away from what it clicked: no tooltip in the way.
  await page.mouse.move(0, 0);
  await page.waitForTimeout(200);
  if (mode === 'long') await stretch(page);
  await page.screenshot({ path: join(folder, `${name}-${mode}.png`) });
  taken += 1;
  // A page that can be pushed sideways has something that is too wide.
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) complaints.push(`${name}-${mode}: ${wide} px wider than the window`);
}

/** The pages before one is signed in. */
async function entry(name, run) {
  if (!wanted(name)) return;
  for (const { name: mode, ...options } of MODES) {
    const { page, context } = await openPage(browser, server.origin, options);
    await run(page);
    await take(page, mode, name);
    await context.close();
  }
}

async function picture({ name: mode, ...options }, { name, path, before, act, navigation }, storageState, api) {
  const { page, context, complaints: own } = await openPage(browser, server.origin, { ...options, storageState, reducedMotion: 'reduce' });
  try {
    await before?.(page);
    await page.goto(`${server.origin}/admin${path}`);
    if (mode === 'narrow' && navigation) await page.getByRole('button', { name: 'Open navigation' }).click();
    await act?.(page, api);
    // A failing server is asked again twice before that is said.
    if (before) await page.getByRole('alert').first().waitFor();
    await take(page, mode, name);
    if (!before) complaints.push(...own.map((complaint) => `${name}-${mode}: ${complaint}`));
  } catch (error) {
    complaints.push(`${name}-${mode}: ${error.message.split('\n')[0]}`);
    await page.screenshot({ path: join(folder, `${name}-${mode}-failed.png`) });
  } finally {
    await context.close();
  }
}

/** The modes side by side: most of the time is waiting. */
async function walk(all, storageState, api) {
  for (const entry of all.filter(({ name }) => wanted(name))) {
    await Promise.all(MODES.map((mode) => picture(mode, entry, storageState, api)));
  }
}

try {
  await mkdir(folder, { recursive: true });
  await entry('needs-setup', async (page) => {
    await page.goto(`${server.origin}/admin/login`);
    await page.getByText('no superadmin yet').waitFor();
  });
  await entry('setup', async (page) => {
    await page.goto(server.setupUrl);
    await page.getByLabel('Password', { exact: true }).fill('Correct-Horse');
  });
  const { page, context } = await openPage(browser, server.origin);
  await page.goto(server.setupUrl);
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create superadmin' }).click();
  await page.getByText('Start with a collection').waitFor();
  const storage = await context.storageState();
  const api = await signIn(server.origin, EMAIL, PASSWORD);
  await walk(
    ['/', '/collections', '/map', '/live', '/macros', '/groups', '/invitations', '/api-keys'].map((path) => ({ name: `${path.slice(1) || 'overview'}-empty`, path })),
    storage,
    api,
  );
  await page.getByRole('button', { name: 'Try it with sample tasks' }).click();
  await page.getByRole('grid').waitFor();
  await walk(pictures(await seedPictures(api)), storage, api);
  await entry('login', async (entryPage) => {
    await entryPage.goto(`${server.origin}/admin/login`);
    await entryPage.getByLabel('E-mail').fill(EMAIL);
    await entryPage.getByLabel('Password', { exact: true }).fill('wrong');
    await entryPage.getByRole('button', { name: 'Sign in' }).click();
    await entryPage.getByRole('alert').waitFor();
  });
} finally {
  await browser.close();
  await server.stop();
}
for (const complaint of complaints) console.error(complaint);
console.log(`${taken} pictures in ${folder}, ${complaints.length} complaints.`);
