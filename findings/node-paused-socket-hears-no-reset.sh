#!/usr/bin/env bash
# A socket of Node.js that is paused before its first read does not notice that the other side is gone.
#
# Versions: Node.js 20.20.2, 22.23.5, 24.22.3 on Linux 6; seen on 2026-11-30.
#
# A client connects and calls pause(). The server closes the connection properly, or breaks it off with a reset. Then:
#   * paused before or at `connect`: neither `end` nor `error` nor `close` comes, after a close as after a reset. The
#     socket says that it is open, for as long as one waits. resume() or a write lets the events come at once.
#   * paused 100 ms later, when reading has begun: both are noticed at once, although the socket is paused just the same. A
#     paused socket goes on reading until its buffer is full.
# One would guess that pause() holds back data, and that its moment does not matter: a reset is not data.
# A stalled reader in a test, or a proxy that pauses a client while it connects elsewhere, waits for ever.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/paused.mjs" <<'JS'
import net from 'node:net';

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const pauses = {
  'before connect': (socket) => socket.pause(),
  'at connect': (socket) => socket.once('connect', () => socket.pause()),
  'later': (socket) => setTimeout(() => socket.pause(), 100),
};
for (const [when, pause] of Object.entries(pauses)) {
  for (const how of ['end', 'resetAndDestroy']) {
    const server = net.createServer((peer) => {
      peer.on('error', () => undefined);
      setTimeout(() => peer[how](), 300);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const socket = net.connect(server.address().port, '127.0.0.1');
    const seen = [];
    for (const event of ['end', 'error', 'close']) socket.on(event, () => seen.push(event));
    pause(socket);
    await wait(2_000);
    const paused = seen.join('+') || 'nothing';
    socket.resume();
    await wait(200);
    console.log(`${when}, ${how}: ${paused}; after resume: ${seen.join('+')}`);
    socket.destroy();
    server.close();
  }
}
JS
node "$folder/paused.mjs" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN' && echo 'as before'
before connect, end: nothing; after resume: end+close
before connect, resetAndDestroy: nothing; after resume: error+close
at connect, end: nothing; after resume: end+close
at connect, resetAndDestroy: nothing; after resume: error+close
later, end: end+close; after resume: end+close
later, resetAndDestroy: error+close; after resume: error+close
SEEN
