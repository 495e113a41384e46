// The chat of docs/chat.md in Chromium: two people, who is here, who is typing. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { PASSWORD, SUPERADMIN, eventually, startServer } from '../../../tests/js/server.js';
import { openTab, startBrowser, startSite } from './browser.js';
import { hasClient } from './support.js';

/** The helper of the tour. */
const HELPER = `
send() { curl -sS -X "$1" "$api/$2" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "$3"; }
`;

test('the chat of the documentation', async (t) => {
  const docs = await readFile(new URL('../../../docs/chat.md', import.meta.url), 'utf8');
  const block = (language) => docs.match(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms'))[1];
  const pages = {};
  const site = await startSite(t, pages);
  const server = await startServer({ SNACKBASE_CORS_ORIGINS: site.origin });
  const { token } = await server.signIn(SUPERADMIN);
  const env = { ...process.env, api: `${server.url}/api/v1`, token };
  const { stdout } = await promisify(execFile)('bash', ['-ec', HELPER + block('sh')], { env });
  assert.equal(stdout, 'messages\nchat:{id}\n');
  const client = (await hasClient(server)) ? `${server.url}/sdk/snackbase.js` : '/snackbase.js';
  const page = block('html').replace('http://127.0.0.1:8000/sdk/snackbase.js', client).replaceAll('http://127.0.0.1:8000', server.url);
  pages['/'] = () => page;

  const ada = await server.register();
  const grace = await server.colleague(ada);
  const browser = await startBrowser(t);
  const problems = [];
  const windows = [];
  for (const { credentials } of [ada, grace]) {
    const tab = await openTab(await browser.newContext(), site.origin, problems);
    await tab.getByPlaceholder('Account').fill(credentials.account);
    await tab.getByPlaceholder('Email').fill(credentials.email);
    await tab.getByPlaceholder('Password').fill(PASSWORD);
    await tab.getByRole('button', { name: 'Sign in' }).click();
    windows.push(tab);
  }
  const [first, second] = windows;
  const here = (tab) => tab.locator('#here').textContent();
  await eventually('both are here', async () => (await here(first)).includes(grace.credentials.email));
  await second.getByPlaceholder('Message').pressSequentially('Hello');
  await first.getByText(`${grace.credentials.email} is typing …`).waitFor();
  await second.getByRole('button', { name: 'Send' }).click();
  await first.getByText(`${grace.credentials.email}: Hello`).waitFor();
  const forged = await grace.send('POST', 'records/messages', { text: 'x', author: ada.credentials.email }).catch((error) => error);
  assert.match(forged.message, /400/);
  assert.deepEqual(problems, []);
});
