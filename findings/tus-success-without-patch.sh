#!/usr/bin/env bash
# A tus client can report success without ever sending the request that, on the server, turns an upload into a file.
#
# Versions: npm tus-js-client 4.3.1, Node 20.
#
# What one would guess: every upload ends with a PATCH that brings the last bytes, so the server makes the file in the
# handler of PATCH; an empty file is a PATCH without a body; and the answer to a creation needs no Upload-Offset.
#
# What it does: an upload of no bytes is one POST with Upload-Length: 0, and that is success. One that is resumed and whose HEAD
# answers an offset equal to the length (the server died between the last byte and making the file) is success after
# the HEAD. So the file has to be made by whichever request finds the upload whole. With uploadDataDuringCreation, a 201
# without Upload-Offset is an error although all bytes were taken.
#
# Output seen:
#   no bytes                    success  POST
#   resumed, all of it there    success  HEAD
#   five bytes                  success  POST PATCH
#   with the creation           error    POST
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund tus-js-client@4.3.1 >/dev/null

cat > client.mjs <<'JS'
import assert from 'node:assert/strict';
import http from 'node:http';
import * as tus from 'tus-js-client';

const methods = [];
const server = http.createServer((request, response) => {
  let received = 0;
  request.on('data', (chunk) => { received += chunk.length; });
  request.on('end', () => {
    methods.push(request.method);
    response.setHeader('Tus-Resumable', '1.0.0');
    if (request.method === 'POST') {
      response.statusCode = 201;
      response.setHeader('Location', '/uploads/1');
    } else if (request.method === 'HEAD') {
      response.setHeader('Upload-Offset', '5');
      response.setHeader('Upload-Length', '5');
    } else {
      response.statusCode = 204;
      response.setHeader('Upload-Offset', String(Number(request.headers['upload-offset']) + received));
    }
    response.end();
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${server.address().port}/uploads`;

async function upload(name, bytes, options, expected) {
  methods.length = 0;
  const result = await new Promise((resolve) => {
    new tus.Upload(Buffer.from(bytes), {
      endpoint, retryDelays: null, ...options,
      onSuccess: () => resolve('success'), onError: () => resolve('error'),
    }).start();
  });
  const seen = [result, ...methods].join(' ');
  console.log(`${name.padEnd(28)}${seen}`);
  assert.equal(seen, expected, name);
}

await upload('no bytes', '', {}, 'success POST');
await upload('resumed, all of it there', 'words', { uploadUrl: `${endpoint}/1` }, 'success HEAD');
await upload('five bytes', 'words', {}, 'success POST PATCH');
await upload('with the creation', 'words', { uploadDataDuringCreation: true }, 'error POST');
server.close();
JS
node client.mjs
