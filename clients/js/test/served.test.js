// The file that the server has for pages without a bundler. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { startServer } from '../../../tests/js/server.js';
import * as library from '../dist/index.js';
import { hasClient } from './support.js';

const MAX_BYTES = 12 * 1024;

test('the server has the client as one file, for pages of every origin', async (t) => {
  const server = await startServer();
  if (!(await hasClient(server))) return t.skip('the server was built without the client');
  const url = `${server.url}/sdk/snackbase.js`;
  const response = await fetch(url, { headers: { Origin: 'https://example.com' } });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/javascript/);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const etag = response.headers.get('etag');
  const source = await response.text();
  const bytes = gzipSync(source, { level: 9 }).length;
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
  const served = await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);
  assert.deepEqual(Object.keys(served).sort(), Object.keys(library).sort());
  assert.equal((await fetch(url, { headers: { 'If-None-Match': etag } })).status, 304);
});
