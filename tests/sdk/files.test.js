// Files with the published SDK, and resumable uploads with the client of the tus protocol.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { Upload } from 'tus-js-client';

import { failure, startServer } from './harness.js';

describe('files', () => {
  let server;
  let client;
  before(async () => {
    server = await startServer();
    client = await server.newUser();
  });

  test('upload, download by URL, delete', async () => {
    const file = await client.files.upload(new File(['words'], 'note.txt', { type: 'text/plain' }));
    assert.equal(file.filename, 'note.txt');
    assert.equal(file.size, 5);
    assert.equal(file.mime_type, 'text/plain');
    const answer = await fetch(client.files.getDownloadUrl(file.path));
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), 'words');
    await client.files.delete(file.path);
    assert.equal((await fetch(client.files.getDownloadUrl(file.path))).status, 404);
  });

  test('a record names a file that was uploaded', async () => {
    const { name } = await server.collection([{ name: 'scan', type: 'file' }]);
    const scan = await client.files.upload(new Blob(['a,b\n'], { type: 'text/csv' }), { filename: 'list.csv' });
    const record = await client.records.create(name, { scan });
    assert.deepEqual(record.scan, scan);
    assert.ok(await failure(client.files.delete(scan.path)), 'a record names it');
  });

  test('what is not taken is an error that says what is', async () => {
    const error = await failure(client.files.upload(new File(['MZ'], 'x.exe', { type: 'application/x-msdownload' })));
    assert.match(error.message, /not allowed/);
  });

  test('an upload goes on after it was aborted', async () => {
    const text = 'x'.repeat(100_000);
    const endpoint = `${server.url}/api/v1/files/resumable`;
    const options = {
      endpoint,
      chunkSize: 30_000,
      retryDelays: null,
      metadata: { filename: 'long.txt', filetype: 'text/plain' },
      headers: { Authorization: `Bearer ${new URL(client.files.getDownloadUrl('x')).searchParams.get('token')}` },
    };
    const uploadUrl = await new Promise((resolve, reject) => {
      const upload = new Upload(Buffer.from(text), {
        ...options,
        onError: reject,
        onChunkComplete: () => upload.abort().then(() => resolve(upload.url), reject),
      });
      upload.start();
    });
    const done = await new Promise((resolve, reject) => {
      new Upload(Buffer.from(text), {
        ...options,
        uploadUrl,
        onError: reject,
        onSuccess: ({ lastResponse }) => resolve(lastResponse),
      }).start();
    });
    const answer = await fetch(client.files.getDownloadUrl(done.getHeader('X-File-Path')));
    assert.equal(await answer.text(), text);
  });
});
