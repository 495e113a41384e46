// Starts a client and keeps what it reports.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Watched {
  events = [];
  ends = [];
  errors = '';

  take(seen) {
    if (seen.event !== undefined) this.events.push(seen.event);
    else this.ends.push(seen.end);
  }
}

/** Runs a program that reports on its standard output. */
export function startProgram({ command, args }, env) {
  const watched = new Watched();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  createInterface({ input: child.stdout }).on('line', (line) => watched.take(JSON.parse(line)));
  child.stderr.on('data', (text) => (watched.errors += text));
  const ended = once(child, 'exit');
  watched.stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  };
  return watched;
}

/** Runs in a page of the server's own origin. */
export async function startPage(browser, kind, { URL: url, TOKEN: token, COLLECTION: collection }) {
  const watched = new Watched();
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => (watched.errors += error.message));
  await page.exposeFunction('report', (seen) => watched.take(seen));
  await page.goto(`${url}/health`);
  await page.evaluate(kind === 'EventSource' ? listenWithEventSource : listenWithWebSocket, { token, collection });
  watched.stop = () => page.close();
  return watched;
}

/* These two run in the page. */

function listenWithEventSource({ token, collection }) {
  const source = new globalThis.EventSource(`/api/v1/realtime/subscribe?collection=${collection}&token=${token}`);
  source.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.operation) void globalThis.report({ event: frame.data.title });
  };
  source.onerror = () => {
    if (source.readyState === 2) void globalThis.report({ end: 'closed' });
  };
}

function listenWithWebSocket({ token, collection }) {
  let cursor;
  const connect = () => {
    const socket = new globalThis.WebSocket(`ws://${globalThis.location.host}/api/v1/realtime/ws`, ['snackbase', token]);
    socket.onopen = () => socket.send(JSON.stringify({ action: 'subscribe', ref: '1', collection, since: cursor }));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      cursor = frame.cursor ?? cursor;
      if (frame.operation) void globalThis.report({ event: frame.data.title });
    };
    socket.onclose = ({ code }) => {
      if (code === 4401 || code === 1008) void globalThis.report({ end: `close ${code}` });
      else setTimeout(connect, 500);
    };
  };
  connect();
}
