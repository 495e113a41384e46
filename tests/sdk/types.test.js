import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { startServer, unique } from './harness.js';

const run = promisify(execFile);
const here = import.meta.dirname;
const compiler = join(here, '../../admin-ui/node_modules/typescript/bin/tsc');

/** What a program does with the types; lines that must not compile say so. */
const program = (name) => `
import { SnackBaseClient } from '@snackbase/sdk';
import type { CollectionInputs, CollectionRecords, ${name}Input, ${name}Record } from './types.js';

const client = new SnackBaseClient({ baseUrl: 'http://127.0.0.1:1' });
export async function use(id: string) {
  const page = await client.records.list<${name}Record>('x');
  const title: string = page.items[0].title;
  const views: number | null = page.items[0].views;
  const status: 'open' | 'paid' | null = page.items[0].status;
  const shout: string | null = (await client.records.get<${name}Record>('x', id)).shout;
  const input: ${name}Input = { title: 'a', status: 'open', meta: { a: [1, null] } };
  await client.records.create<${name}Input>('x', input);
  const record: CollectionRecords[keyof CollectionRecords] | undefined = undefined;
  const inputs: Partial<CollectionInputs> = {};
  // @ts-expect-error: the title is required
  const empty: ${name}Input = {};
  // @ts-expect-error: it is none of the values
  const other: ${name}Input = { title: 'a', status: 'lost' };
  // @ts-expect-error: nobody sends what is computed
  const computed: ${name}Input = { title: 'a', shout: 'A' };
  return [title, views, status, shout, record, inputs, empty, other, computed];
}
`;

describe('types', () => {
  let server;
  before(async () => {
    server = await startServer();
  });

  test('the printed types fit the SDK', async (t) => {
    const admin = await server.superadmin();
    const name = unique('typed_things');
    const fields = [
      { name: 'title', type: 'text', required: true },
      { name: 'views', type: 'number' },
      { name: 'status', type: 'text', options: { enum: ['open', 'paid'] } },
      { name: 'meta', type: 'json' },
      { name: 'shout', type: 'computed', expression: 'upper(title)', return_type: 'text' },
    ];
    await admin.collections.create({ name, fields });
    const command = ['types', 'typescript'];
    const { stdout } = await run(resolve(process.env.SNACKBASE_BIN), command, { env: server.environment });
    const type = name.replace(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
    assert.match(stdout, new RegExp(`export interface ${type}Record extends SystemFields`));
    if (!existsSync(compiler)) return t.skip('TypeScript is not installed: npm ci in admin-ui');
    // Below this folder, so that the SDK is found.
    const folder = await mkdtemp(join(here, 'node_modules', '.types-'));
    try {
      await writeFile(join(folder, 'types.ts'), stdout);
      await writeFile(join(folder, 'program.ts'), program(type));
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck'];
      await run(process.execPath, [compiler, ...options, join(folder, 'program.ts')]).catch((error) => {
        assert.fail(error.stdout);
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
