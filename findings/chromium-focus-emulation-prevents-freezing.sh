#!/usr/bin/env bash
# Chromium: a page with focus emulation cannot be put to sleep, and the command says that it was.
#
# Versions: Chromium 156.0.8078.114 (headless), ws 8.23.0 (npm), Node.js 20.20.2; seen on 2026-11-30.
#
# A page counts every 50 ms. Over the DevTools protocol, `Page.setWebLifecycleState` freezes it for two seconds.
#   * Alone, this works: the counter stands still, and the page gets `freeze` and `resume`.
#   * After `Emulation.setFocusEmulationEnabled`, the same command is answered with the same success, and nothing happens: the
#     counter goes on, and there is no event.
# Playwright (1.65.1) switches focus emulation on for every page, in a session of its own that a test cannot reach. One would
# guess that a test which freezes a tab through `newCDPSession` tests a sleeping tab. It tests one that is awake, and passes.
# What does stop a page there: `Debugger.enable` and `Debugger.pause`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0
cat >freeze.mjs <<'JS'
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
for (const isEmulated of [false, true]) {
  const profile = `${process.cwd()}/profile-${isEmulated}`;
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const browser = spawn(process.env.CHROMIUM ?? 'chromium', [...flags, 'about:blank'], { stdio: 'ignore' });
  let port;
  for (let attempt = 0; !port && attempt < 150; attempt += 1) {
    await wait(200);
    port = await readFile(`${profile}/DevToolsActivePort`, 'utf8').then((text) => text.split('\n')[0], () => undefined);
  }
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const socket = new WebSocket(targets.find(({ type }) => type === 'page').webSocketDebuggerUrl);
  await new Promise((done) => socket.on('open', done));
  const waiting = new Map();
  socket.on('message', (message) => {
    const { id, result, error } = JSON.parse(message);
    waiting.get(id)?.(result ?? error);
  });
  const send = (method, params = {}) => new Promise((done) => {
    const id = waiting.size + 1;
    waiting.set(id, done);
    socket.send(JSON.stringify({ id, method, params }));
  });
  const evaluate = async (expression) => (await send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  await evaluate(`globalThis.count = 0; globalThis.told = []; setInterval(() => count++, 50);
    for (const event of ['freeze', 'resume']) document.addEventListener(event, () => told.push(event));`);
  if (isEmulated) await send('Emulation.setFocusEmulationEnabled', { enabled: true });
  const before = await evaluate('count');
  const answer = JSON.stringify(await send('Page.setWebLifecycleState', { state: 'frozen' }));
  await wait(2_000);
  await send('Page.setWebLifecycleState', { state: 'active' });
  const counted = (await evaluate('count')) - before;
  const told = (await evaluate('told.join()')) || 'nothing';
  console.log(`focus emulation ${isEmulated ? 'on' : 'off'}: answer ${answer}, ${counted < 10 ? 'asleep' : 'awake'}, told ${told}`);
  const ended = new Promise((done) => browser.once('exit', done));
  browser.kill();
  await ended;
}
process.exit();
JS
node freeze.mjs | tee seen
diff seen - <<'SEEN' && echo 'as before'
focus emulation off: answer {}, asleep, told freeze,resume
focus emulation on: answer {}, awake, told nothing
SEEN
