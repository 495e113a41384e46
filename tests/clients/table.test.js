// Unmodified clients against the real server, in the situations of docs/clients.md. SNACKBASE_BIN names the binary;
// see run.sh.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';

import { startServer } from '../js/server.js';
import { CLIENTS, SITUATIONS, isInstalled, markdown } from './clients.js';
import { startPage, startProgram } from './watched.js';

/** How long the server is away. */
const AWAY_MS = 6_000;
const TOKEN_SECONDS = 12;
/** The longest pause of a client before it connects again is about five seconds. */
const PATIENCE_MS = 15_000;
/** How long the application is watched after its credential has ended. */
const SILENCE_MS = 8_000;

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
});
after(() => browser?.close());

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A server, all clients listening at it, and somebody who writes. */
async function world(env) {
  const server = await startServer(env);
  server.admin.token = (await server.admin.send('POST', 'admin/api-keys', { name: 'tests' })).key;
  const collection = await server.collection([{ name: 'title', type: 'text' }]);
  const person = await server.register();
  const key = await server.admin.send('POST', 'admin/api-keys', { name: 'writer', account_id: person.account.id });
  const write = (title) => server.send('POST', `records/${collection}`, { title }, key.key);
  const settings = {
    URL: server.url,
    COLLECTION: collection,
    CREDENTIALS: JSON.stringify(person.credentials),
  };
  const watched = new Map();
  for (const client of CLIENTS.filter(isInstalled)) {
    const { start } = client;
    const own = { ...settings, TOKEN: (await server.signIn(person.credentials)).token };
    watched.set(client, start.chromium ? await startPage(browser, start.chromium, own) : startProgram(start, own));
  }
  return { server, person, write, watched };
}

/** Writes until every client has heard something, or is not going to. */
async function allListening({ write, watched }) {
  for (let index = 0; index < 50; index += 1) {
    if ([...watched.values()].every(({ events, errors }) => events.length > 0 || errors.includes('Traceback'))) return;
    await write(`before ${index}`);
    await pause(200);
  }
}

async function stopAll({ watched }) {
  for (const each of watched.values()) await each.stop();
}

async function restarted(signal) {
  const here = await world({});
  try {
    await allListening(here);
    const { server, write, watched } = here;
    process.kill(server.child.pid, signal);
    await server.ended;
    await server.log.close();
    // Long enough for everybody to be refused once.
    await pause(AWAY_MS);
    await server.start();
    await write('after');
    await untilQuiet(() => [...watched.values()].every(({ events }) => events.includes('after')));
    await write('later');
    await untilQuiet(() => [...watched.values()].every(({ events }) => events.includes('later')), 2_000);
    return observed(watched, ({ events }) => {
      if (events.length === 0) return 'nothing';
      if (new Set(events).size !== events.length) return 'doubled';
      if (events.includes('after')) return 'kept';
      return events.includes('later') ? 'lost' : 'dead';
    });
  } finally {
    await stopAll(here);
  }
}

async function expired() {
  const here = await world({ SNACKBASE_ACCESS_TOKEN_EXPIRE_SECONDS: String(TOKEN_SECONDS) });
  try {
    await allListening(here);
    await pause(TOKEN_SECONDS * 1_000 + SILENCE_MS);
    await here.write('later');
    await pause(1_000);
    return observed(here.watched, ({ events, ends }) => (events.includes('later') ? 'goes on' : seen(ends)));
  } finally {
    await stopAll(here);
  }
}

async function revoked() {
  const here = await world({});
  try {
    await allListening(here);
    const { server, person, watched } = here;
    await server.admin.send('PUT', `users/${person.user.id}/password`, { new_password: 'Another-Horse-8' });
    await pause(SILENCE_MS);
    return observed(watched, ({ ends }) => seen(ends));
  } finally {
    await stopAll(here);
  }
}

const seen = (ends) => [...new Set(ends)].join(', ') || 'silence';

function observed(watched, judge) {
  return new Map([...watched].map(([client, each]) => [client, { outcome: judge(each), errors: each.errors }]));
}

async function untilQuiet(isDone, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  while (!isDone() && Date.now() < end) await pause(50);
}

const RUNS = { restart: () => restarted('SIGTERM'), kill: () => restarted('SIGKILL'), expiry: expired, revocation: revoked };

for (const situation of SITUATIONS) {
  describe(situation, () => {
    let results;
    before(async () => {
      results = await RUNS[situation]();
    }, { timeout: 120_000 });
    for (const client of CLIENTS) {
      test(client.name, (t) => {
        if (!results.has(client)) return t.skip('not installed');
        assert.equal(results.get(client).outcome, client.expected[situation], results.get(client).errors);
      });
    }
  });
}

test('docs/clients.md has this table', async () => {
  const docs = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
  assert.ok(docs.includes(markdown()), `it should be:\n${markdown()}`);
});
