// The clients of the table: how each is started, and what it shows in each situation.
//
// Restart and kill: `kept` if the record that was written right after the start arrived, once; `lost` if only later ones
// did; `dead` if nothing did. Expiry and revocation: what the application can see; `silence` if nothing.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const node = (program, ...options) => ({ command: process.execPath, args: [path(`programs/${program}`), ...options] });
/** The runtime of another version, from the package that ships it. */
const otherNode = (version, flags, program, ...options) => ({
  command: path(`node_modules/node${version}/bin/node`),
  args: [...flags, path(`programs/${program}`), ...options],
});
const python = (program) => ({
  command: `${process.env.CLIENTS_PYTHON ?? ''}/bin/python`,
  args: [path(`programs/${program}`)],
});
const chromium = (what) => ({ chromium: what });

export const SITUATIONS = ['restart', 'kill', 'expiry', 'revocation'];

/** Names, versions, how they are started, and the expected row. */
export const CLIENTS = [
  ['EventSource, Chromium', chromium('EventSource'), ['kept', 'kept', 'closed', 'closed']],
  ['EventSource, Node.js 24', otherNode(24, ['--experimental-eventsource'], 'eventsource.mjs', 'global'), ['kept', 'kept', 'closed', 'closed']],
  ['EventSource, Node.js 22', otherNode(22, ['--experimental-eventsource'], 'eventsource.mjs', 'global'), ['dead', 'dead', 'closed', 'closed']],
  ['`eventsource` 5.1.5', otherNode(24, [], 'eventsource.mjs', 'eventsource'), ['kept', 'kept', 'closed 401', 'closed 401']],
  ['`eventsource` 4.1.1', node('eventsource.mjs', 'eventsource4'), ['kept', 'kept', 'closed 401', 'closed 401']],
  ['`@microsoft/fetch-event-source` 2.0.1', node('fetch-event-source.mjs'), ['kept', 'kept', 'error, goes on', 'error, goes on']],
  ['`reconnecting-eventsource` 1.6.5', node('eventsource.mjs', 'reconnecting-eventsource'), ['kept', 'kept', 'silence', 'silence']],
  ['`httpx-sse` 0.4.3', python('httpx_sse_loop.py'), ['kept', 'kept', 'error 401', 'error 401']],
  ['`sseclient-py` 1.9.0', python('sseclient_loop.py'), ['kept', 'kept', 'error 401', 'error 401']],
  ['WebSocket, Chromium', chromium('WebSocket'), ['kept', 'kept', 'close 4401', 'close 1008']],
  ['WebSocket, Node.js 24', otherNode(24, [], 'websocket.mjs', 'global'), ['kept', 'kept', 'close 4401', 'close 1008']],
  ['WebSocket, Node.js 22', otherNode(22, [], 'websocket.mjs', 'global'), ['dead', 'dead', 'close 4401', 'close 1008']],
  ['`ws` 8.23.0', node('websocket.mjs', 'ws'), ['kept', 'kept', 'close 4401', 'close 1008']],
  ['`partysocket` 1.3.0', node('websocket.mjs', 'partysocket'), ['kept', 'kept', 'close 4401', 'close 1008']],
  ['`websockets` 17.4', python('websockets_loop.py'), ['kept', 'kept', 'close 4401', 'close 1008']],
  ['`snackbase-js`', node('snackbase.mjs'), ['kept', 'kept', 'goes on', 'expired']],
  ['`snackbase-js`, Node.js 22', otherNode(22, [], 'snackbase.mjs'), ['kept', 'kept', 'goes on', 'expired']],
].map(([name, start, expected]) => ({ name, start, expected: Object.fromEntries(SITUATIONS.map((each, index) => [each, expected[index]])) }));

/** Whether the client's runtime is installed: the packages of Node.js are for Linux on x64, and Python's are optional. */
export function isInstalled({ start }) {
  return start.chromium ? true : existsSync(start.command);
}

/** The table of docs/clients.md. */
export function markdown() {
  const rows = CLIENTS.map(({ name, expected }) => `| ${name} | ${SITUATIONS.map((each) => expected[each]).join(' | ')} |`);
  return ['| Client | Restart | Kill | Expiry | Revocation |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}
