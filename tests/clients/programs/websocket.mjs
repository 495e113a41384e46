// A WebSocket that subscribes when it opens and resumes after the last cursor. `ws` and the runtime's own connect again
// when they are closed, as docs/realtime.md says; partysocket does so by itself.

import { collection, handle, report, token, url } from './report.mjs';

const name = process.argv[2];
const address = `${url.replace('http', 'ws')}/api/v1/realtime/ws`;
const protocols = ['snackbase', token];
const WebSocket = name === 'global' ? globalThis.WebSocket : (await import('ws')).WebSocket;
let cursor;

function listen(socket) {
  socket.onopen = () => socket.send(JSON.stringify({ action: 'subscribe', ref: '1', collection, since: cursor }));
  socket.onmessage = ({ data }) => {
    cursor = JSON.parse(data).cursor ?? cursor;
    handle(data);
  };
  socket.onerror = () => undefined;
}

function connect() {
  const socket = new WebSocket(address, protocols);
  listen(socket);
  socket.onclose = ({ code }) => {
    if (code === 4401 || code === 1008) report({ end: `close ${code}` });
    else setTimeout(connect, 500);
  };
}

if (name === 'partysocket') {
  const { WebSocket: ReconnectingWebSocket } = await import('partysocket');
  const socket = new ReconnectingWebSocket(address, protocols, { WebSocket });
  listen(socket);
  socket.onclose = ({ code }) => {
    if (code === 4401 || code === 1008) report({ end: `close ${code}` });
  };
} else {
  connect();
}
setInterval(() => undefined, 1_000);
