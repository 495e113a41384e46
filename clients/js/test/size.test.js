import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const LIMIT_BYTES = 12 * 1024;

test('the file for browsers has at most 12 KiB, compressed', async (t) => {
  const bytes = gzipSync(await readFile(new URL('../dist/snackbase.js', import.meta.url)), { level: 9 }).length;
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes <= LIMIT_BYTES, `${bytes} bytes`);
});
