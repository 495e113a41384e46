// Every block of code in the README, in its order, as one program. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { startServer, unique } from '../../../tests/js/server.js';

const run = promisify(execFile);

test('the examples of the README run', async (t) => {
  const server = await startServer();
  const fields = [
    { name: 'title', type: 'text' },
    { name: 'priority', type: 'number' },
    { name: 'client_id', type: 'text', unique: true },
  ];
  const name = await server.collection(fields);
  const pattern = `${unique('board')}:{id}`;
  await server.admin.send('POST', 'realtime/rooms', { pattern, join_rule: '', publish_rule: '', presence_rule: '' });
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
  assert.ok(blocks.length === 8);
  const account = unique('acc-');
  const library = (name) => `'${new URL(`../dist/${name}.js`, import.meta.url).href}'`;
  const program = blocks
    .join('\n')
    .replaceAll("'snackbase-js'", library('index'))
    .replaceAll("'snackbase-js/tanstack-db'", library('tanstack-db'))
    .replaceAll("'@tanstack/db'", `'${import.meta.resolve('@tanstack/db')}'`)
    .replaceAll("'http://127.0.0.1:8000'", `'${server.url}', { WebSocket }`)
    .replaceAll("'notes'", `'${name}'`)
    .replaceAll("'board:", `'${pattern.split(':')[0]}:`)
    .replaceAll("'acme'", `'${account}'`)
    .replaceAll('ada@example.com', `${account}@example.com`);
  const folder = await mkdtemp(join(tmpdir(), 'snackbase-readme-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'program.mjs');
  const ws = import.meta.resolve('ws');
  await writeFile(file, `import { WebSocket } from '${ws}';\n${program}\nqueue.close();\nclient.close();\n`);
  const { stderr } = await run(process.execPath, [file], { timeout: 30_000 });
  assert.equal(stderr, '');
});
