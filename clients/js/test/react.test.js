// The React example of the README in Chromium. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { build } from 'esbuild';

import { startServer, unique } from '../../../tests/js/server.js';
import { openTab, startBrowser, startSite } from './browser.js';
import { FIELDS } from './support.js';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The example as a page that signs in when it is told to. */
async function bundle(server, collection, room) {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, example] = readme.match(/^```jsx\n(.*?)^```/ms);
  const source = `
    import { StrictMode, createElement } from 'react';
    import { createRoot } from 'react-dom/client';
    import { SnackBase } from '../dist/index.js';
    ${example.replaceAll("'notes'", `'${collection}'`).replaceAll("'board:42'", `'${room}'`)}
    globalThis.client = new SnackBase('${server.url}');
    const root = createRoot(document.body.appendChild(document.createElement('div')));
    root.render(createElement(StrictMode, null, createElement(Page, { client })));
    globalThis.unmount = () => root.unmount();`;
  const result = await build({
    stdin: { contents: source.replaceAll("'snackbase-js/react'", "'../dist/react.js'"), loader: 'jsx', resolveDir: HERE },
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  return result.outputFiles[0].text;
}

test('hooks show who is signed in, records and members, and let go of everything', async (t) => {
  const pages = {};
  const site = await startSite(t, pages);
  const server = await startServer({ SNACKBASE_CORS_ORIGINS: site.origin });
  const collection = await server.collection(FIELDS);
  const kind = unique('board');
  await server.admin.send('POST', 'realtime/rooms', { pattern: `${kind}:{id}`, join_rule: '', publish_rule: '', presence_rule: '' });
  const person = await server.register();
  await person.create(collection, { title: 'first' });
  const script = await bundle(server, collection, `${kind}:42`);
  pages['/'] = () => '<!doctype html><body><script type="module" src="/page.js"></script>';
  pages['/page.js'] = () => script;
  const problems = [];
  const page = await openTab(await (await startBrowser(t)).newContext(), site.origin, problems);
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));

  await page.getByText('Please sign in.').waitFor();
  await page.evaluate((credentials) => globalThis.client.auth.signIn(credentials), person.credentials);
  await page.getByText('live, 1 here').waitFor();
  await page.getByText('first').waitFor();
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('new', { exact: true }).waitFor();
  const { items } = await person.send('GET', `records/${collection}`);
  assert.equal(items.length, 2);
  await page.evaluate(() => globalThis.client.auth.signOut());
  await page.getByText('Please sign in.').waitFor();
  await page.evaluate(() => globalThis.unmount());
  assert.deepEqual(problems, []);
});
