// Watching what happens and trying subscriptions: each page's main job, against the real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessProblems } from './support/axe.js';
import { startSignedIn } from './support/signed-in.js';
import { stepper } from './support/steps.js';

let world;
let page;
let frames;
const sockets = [];

before(async () => {
  world = await startSignedIn();
  page = world.page;
  page.on('websocket', (socket) => sockets.push(socket.url()));
  frames = page.getByRole('list', { name: 'Frames, newest first' });
  await world.api.post('/collections', {
    name: 'orders',
    fields: [{ name: 'title', type: 'text', required: true }, { name: 'total', type: 'number' }],
  });
  await world.api.put('/collections/orders/rules', { list_rule: "title != 'Secret'" });
});

after(() => world?.stop());

const { step, picture } = stepper(() => page);
const button = (name) => page.getByRole('button', { name, exact: true });
const go = (name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
const tab = (name) => page.getByRole('navigation', { name: 'Realtime' }).getByRole('link', { name, exact: true }).click();
const access = async () => assert.deepEqual(await accessProblems(page), []);
const frame = (kind) => frames.getByRole('button').filter({ hasText: kind });

test('realtime', async (t) => {
  await step(t, 'shows events, narrowed down by operation', async () => {
    await page.goto(`${world.server.origin}/admin/live`);
    await page.getByText('Connected', { exact: true }).waitFor();
    const made = await world.api.post('/records/orders', { title: 'Bread' });
    await world.api.patch(`/records/orders/${made.id}`, { total: 5 });
    await page.getByRole('cell', { name: 'create', exact: true }).waitFor();
    await page.getByRole('combobox', { name: 'Operations' }).or(page.getByLabel('Operations', { exact: true })).first().click();
    await page.getByRole('option', { name: 'update' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('cell', { name: 'create', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Open event/ }).click();
    await page.getByRole('link', { name: 'Open the record' }).waitFor();
    await page.keyboard.press('Escape');
    assert.match(page.url(), /operations=update/);
  });

  await step(t, 'keeps the token out of addresses', async () => {
    assert.notEqual(sockets.length, 0);
    for (const url of sockets) assert.match(url, /\/realtime\/ws\?ticket=[\w-]+$/);
  });

  await step(t, 'subscribes from the playground and hears of what is written there', async () => {
    await tab('Playground');
    await page.getByLabel('Filter', { exact: true }).fill('total > 100');
    await page.getByRole('switch', { name: /^Include old values/ }).check();
    await page.getByLabel('Ref', { exact: true }).fill('dear');
    await button('Connect').click();
    await frame('subscribed').waitFor();
    await page.getByLabel('Values', { exact: true }).fill('{"title": "Cake", "total": 300}');
    await button('Create').click();
    await frame('orders.create').waitFor();
    await button('Change it').click();
    await button('Delete it').click();
    await frame('orders.delete').click();
    await frames.getByText('"ref": "dear"').first().waitFor();
    await frames.getByText('"total": 300').first().waitFor();
    await access();
    await picture('playground');
  });

  await step(t, 'shows where a filter is wrong, and any message that is sent', async () => {
    await page.getByLabel('Filter', { exact: true }).fill('total >');
    await button('Subscribe with these settings').click();
    await frame('error').waitFor();
    await page.locator('[aria-invalid="true"]').first().waitFor();
    await page.getByLabel('Message to send').press('Enter');
    await frame('pong').waitFor();
    await page.getByLabel('Filter', { exact: true }).fill('total > 1');
    assert.match(page.url(), /ref=dear/);
    await button('Disconnect').click();
    await frames.getByText('Closed here').waitFor();
  });

  await step(t, 'gives the subscription as a program', async () => {
    const program = page.getByRole('region', { name: 'Code' });
    await program.getByText("filter: 'total > 1'").first().waitFor();
    await program.getByRole('tab', { name: 'snackbase-realtime' }).click();
    await program.getByText("realtime.subscribe('orders'").waitFor();
  });

  await step(t, 'streams server-sent events', async () => {
    await page.getByText('Server-sent events').click();
    await page.getByRole('switch', { name: 'Send a snapshot first' }).check();
    await button('Connect').click();
    await frame('snapshot').first().waitFor();
    await button('Create').click();
    await frame('orders.create').first().waitFor();
    await picture('playground-sse');
    await button('Disconnect').click();
  });

  await step(t, 'listens in the place of a user, who hears only what the rules show', async () => {
    const account = await world.api.post('/accounts', { name: 'Bakery', slug: 'bakery' });
    await world.api.post('/users', { email: 'ada@example.com', password: 'Correct-Horse-7', account_id: account.id, role_id: 2 });
    await page.goto(`${world.server.origin}/admin/live/playground?collection=orders`);
    await page.getByRole('combobox', { name: 'As the user' }).fill('ada');
    await page.getByRole('option', { name: /ada@example.com/ }).click();
    await button('Connect').click();
    await frame('subscribed').waitFor();
    await page.getByText('in the account Bakery').waitFor();
    // Events come in order: when the second is there, the first would be, too.
    for (const title of ['Secret', 'Rye']) {
      await page.getByLabel('Values', { exact: true }).fill(JSON.stringify({ title }));
      await button('Create').click();
      await page.getByRole('region', { name: 'Write a record' }).getByText(/^Created/).waitFor();
    }
    await frame('Rye').waitFor();
    assert.equal(await frame('orders.create').count(), 1);
  });

  await step(t, 'lists connections and ends one', async () => {
    const [context, other] = [page.context(), await page.context().newPage()];
    await other.goto(`${world.server.origin}/admin/live/connections`);
    const rows = other.getByRole('row').filter({ hasText: 'ada@example.com' });
    await rows.getByText('orders').waitFor();
    await rows.getByText('keeps up').waitFor();
    assert.deepEqual(await accessProblems(other), []);
    await rows.getByRole('link').click();
    await other.getByText('1 subscription', { exact: true }).waitFor();
    assert.deepEqual(await accessProblems(other), []);
    if (process.env.E2E_PICTURES) await other.screenshot({ path: `${process.env.E2E_PICTURES}/connection.png` });
    await other.getByRole('button', { name: 'End connection' }).click();
    await other.getByRole('dialog', { name: 'End this connection?' }).getByRole('button', { name: 'End connection' }).click();
    await rows.waitFor({ state: 'detached' });
    await other.close();
    assert.equal(context.pages().length, 1);
    await frames.getByText(/^Closed with/).waitFor();
  });

  await step(t, 'tells on the overview how the server is', async () => {
    await go('Overview');
    const health = page.getByRole('region', { name: 'Health' });
    await health.getByText(/^connected, /).waitFor();
    await health.getByText(/connection/).last().waitFor();
    await page.getByRole('region', { name: 'Recent activity' }).getByRole('link', { name: /in orders/ }).first().waitFor();
    await page.getByRole('figure', { name: 'Audited changes' }).waitFor();
    await page.getByRole('figure', { name: 'Deliveries' }).waitFor();
    await page.getByText('30 days', { exact: true }).click();
    await page.waitForURL(/days=30d/);
    await page.getByText(/new in 30 days/).first().waitFor();
    await access();
    await picture('overview');
  });

  assert.deepEqual(world.complaints, []);
});
