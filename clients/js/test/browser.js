// Pages in Chromium for tests: a site of files, with the client at /snackbase.js.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const CLIENT = new URL('../dist/snackbase.js', import.meta.url);

/** Serves `pages` by path, and the client. Allow its `origin` in the settings of the server. */
export async function startSite(t, pages) {
  const site = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://site').pathname;
    const page = pages[path];
    const icon = path === '/favicon.ico' ? '' : undefined;
    const body = icon ?? (path === '/snackbase.js' ? await readFile(CLIENT) : await page?.());
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': path.endsWith('.js') ? 'text/javascript' : 'text/html' });
    response.end(body);
  });
  await new Promise((done) => site.listen(0, '127.0.0.1', done));
  t.after(() => site.close());
  return { origin: `http://127.0.0.1:${site.address().port}` };
}

/** A browser that is closed when the test ends. Each context is a person of its own; its pages are tabs. */
export async function startBrowser(t) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
  });
  t.after(() => browser.close());
  return browser;
}

/** A tab whose exceptions end up in `problems`. */
export async function openTab(context, url, problems = []) {
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => {
    problems.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(url);
  return page;
}

/**
 * Puts a tab to sleep: its scripts stop where they are, and the rest of the world goes on. Playwright emulates focus, which
 * keeps `Page.setWebLifecycleState` from freezing anything. Returns how to wake it.
 */
export async function sleep(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  await session.send('Debugger.pause');
  return async () => {
    await session.send('Debugger.resume');
    await session.detach();
  };
}
