// Starts the real binary on a free port with its data in a temporary folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFront } from './front.js';

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Resolves once the server has printed its set-up link. */
export async function startServer() {
  const binary = process.env.SNACKBASE_BIN;
  if (!binary) throw new Error('Set SNACKBASE_BIN to the server binary.');
  const folder = await mkdtemp(join(tmpdir(), 'snackbase-e2e-'));
  const port = await freePort();
  // The server refuses settings it does not know, and must not pick up the developer's own.
  const foreign = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SNACKBASE_')));
  const child = spawn(binary, ['serve'], {
    cwd: folder,
    env: { ...foreign, SNACKBASE_HOST: '127.0.0.1', SNACKBASE_PORT: String(port), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const link = new Promise((resolve, reject) => {
    const read = (chunk) => {
      output += chunk;
      const found = /\/admin\/setup\?token=([\w.~-]+)/.exec(output);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
    setTimeout(() => reject(new Error(`No set-up link within 30 s:\n${output}`)), 30_000).unref();
  });
  let front = null;
  const stop = async () => {
    front?.stop();
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  const origin = `http://127.0.0.1:${port}`;
  try {
    const path = await link;
    await answering(origin);
    if (process.env.SNACKBASE_UI) front = await startFront(process.env.SNACKBASE_UI, origin);
    const shown = front?.origin ?? origin;
    return { origin: shown, setupUrl: shown + path, stop, output: () => output };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The link may be printed a moment before the port is open. */
async function answering(origin) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const answer = await fetch(`${origin}/health`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The server does not answer.');
}

/** A small REST client for what happens outside of the browser. */
export async function signIn(origin, email, password) {
  const call = async (method, path, body, token) => {
    const response = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = response.status === 204 ? undefined : await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const { token } = await call('POST', '/auth/login', { account: 'system', email, password });
  return {
    get: (path) => call('GET', path, undefined, token),
    post: (path, body) => call('POST', path, body, token),
    put: (path, body) => call('PUT', path, body, token),
    patch: (path, body) => call('PATCH', path, body, token),
    delete: (path) => call('DELETE', path, undefined, token),
  };
}
