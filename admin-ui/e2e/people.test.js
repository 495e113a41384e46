// Who may sign in, what programs may do, and what the server did: each page's main job, against the real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessProblems } from './support/axe.js';
import { startSignedIn } from './support/signed-in.js';

let world;
let page;
let drawer;

before(async () => {
  world = await startSignedIn();
  page = world.page;
  drawer = page.getByRole('dialog');
});

after(() => world?.stop());

const button = (name) => page.getByRole('button', { name, exact: true });
const row = (text) => page.getByRole('row').filter({ hasText: text });
const go = (name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
const access = async () => assert.deepEqual(await accessProblems(page), []);
const picture = async (name) => {
  if (process.env.E2E_PICTURES) await page.screenshot({ path: `${process.env.E2E_PICTURES}/${name}.png` });
};
const choose = async (label, option) => {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option }).first().click();
};

/** Steps build on each other: after the first failure nothing else is tried. */
let failed = false;
async function step(context, name, run) {
  await context.test(name, { skip: failed }, async () => {
    try {
      await run();
    } catch (error) {
      failed = true;
      await picture('failed');
      throw error;
    }
  });
}

test('people and operation', async (t) => {
  await step(t, 'creates an account and renames it', async () => {
    await go('Accounts');
    await page.getByRole('link', { name: 'Create account' }).click();
    await drawer.getByLabel('Name').fill('Bakery');
    await drawer.getByLabel('Slug').fill('bakery');
    await button('Create account').click();
    await row('bakery').waitFor();
    await access();
    await picture('accounts');
    await row('bakery').getByRole('link', { name: 'Bakery' }).click();
    await drawer.getByLabel('Name').fill('Bakery and Café');
    await button('Save').click();
    await page.getByText('Saved.').waitFor();
    await row('Bakery and Café').waitFor();
    await access();
    await picture('account');
    await page.keyboard.press('Escape');
  });

  await step(t, 'creates a role that rules can ask for', async () => {
    await go('Roles');
    await button('Create role').click();
    await drawer.getByLabel('Name').fill('baker');
    await drawer.getByLabel('Description').fill('Bakes');
    await drawer.getByRole('button', { name: 'Create role' }).click();
    await row('baker').waitFor();
    await access();
    await picture('roles');
  });

  await step(t, 'keeps a query under a name that rules can call', async () => {
    await world.api.post('/collections', { name: 'breads', fields: [{ name: 'kind', type: 'text' }] });
    await go('Macros');
    await page.getByText('No macros yet').waitFor();
    await button('Create macro').click();
    await drawer.getByLabel('Name').fill('baked');
    await drawer.getByLabel('Parameters').fill('kind');
    await drawer.getByLabel('Query').fill('SELECT nothing FROM nowhere');
    await drawer.getByRole('button', { name: 'Create macro' }).click();
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
    await access();
    await drawer.getByLabel('Query').fill('SELECT COUNT(*) FROM breads WHERE kind = :kind');
    await drawer.getByRole('button', { name: 'Create macro' }).click();
    await row('@baked(kind)').waitFor();
    await button('Try baked').click();
    await drawer.getByLabel('kind').fill('rye');
    await drawer.getByRole('button', { name: 'Try' }).click();
    await drawer.getByRole('status').getByText('0', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    // The focus is back where it was.
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Try baked');
    await picture('macros');
    await access();
    await page.goto(`${world.server.origin}/admin/collections/breads/rules`);
    await page.getByRole('region', { name: 'List rule' }).getByText('Expression').click();
    await page.getByLabel('List expression').fill('@bak');
    await page.getByRole('option', { name: '@baked' }).waitFor();
    await page.getByLabel('List expression').press('Enter');
    assert.equal(await page.getByLabel('List expression').inputValue(), '@baked()');
    await button('Discard changes').click();
    await go('Macros');
    await button('Delete baked').click();
    await button('Delete macro').click();
    await page.getByText('No macros yet').waitFor();
    await world.api.delete('/collections/breads');
  });

  await step(t, 'creates a user, gives it the role and deactivates it', async () => {
    await go('Users');
    await page.getByRole('link', { name: 'Create user' }).click();
    await drawer.getByLabel('E-mail').fill('ada@example.com');
    await drawer.getByLabel('Password', { exact: true }).fill('Correct-Horse-7');
    await drawer.getByRole('combobox', { name: 'Account' }).fill('bakery');
    await page.getByRole('option', { name: 'Bakery and Café' }).click();
    await choose('Role', 'baker');
    await button('Create user').click();
    await row('ada@example.com').waitFor();
    await picture('users');
    await access();
    await row('ada@example.com').getByRole('link', { name: 'ada@example.com' }).click();
    await drawer.getByText('0 sessions').waitFor();
    await access();
    await picture('user');
    await drawer.getByRole('switch', { name: 'Active' }).press('Space');
    await button('Save').click();
    await row('ada@example.com').getByText('deactivated').waitFor();
    await drawer.getByRole('switch', { name: 'Active' }).press('Space');
    await button('Save').click();
    await row('ada@example.com').getByText('deactivated').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
  });

  await step(t, 'makes a superadmin only on purpose', async () => {
    // Only one account has users: it is chosen by itself.
    await page.getByRole('link', { name: 'Create user' }).click();
    await drawer.getByRole('combobox', { name: 'Account' }).and(page.locator('[value^="Bakery and Café"]')).waitFor();
    await page.keyboard.press('Escape');
    await button('More ways to create a user').click();
    await page.getByRole('menuitem', { name: 'Create superadmin' }).click();
    await drawer.getByLabel('E-mail').fill('chief@example.com');
    await drawer.getByLabel('Password', { exact: true }).fill('Correct-Horse-7');
    assert.ok(await button('Create superadmin').isDisabled());
    await drawer.getByLabel('This person needs access to every account').check();
    await access();
    await picture('superadmin');
    await button('Create superadmin').click();
    await row('chief@example.com').getByText('superadmin').waitFor();
  });

  await step(t, 'narrows every page to one account', async () => {
    await button('Account: All accounts').click();
    await page.getByRole('textbox', { name: 'Search accounts' }).fill('bakery');
    await page.getByRole('option', { name: /^Bakery and Café/ }).click();
    await page.waitForURL(/account=/);
    await row('ada@example.com').waitFor();
    await row('chief@example.com').waitFor({ state: 'detached' });
    await access();
    await picture('narrowed');
    await go('Groups');
    await page.waitForURL(/groups.*account=/);
    await page.reload();
    await button('Only Bakery and Café: show all accounts').click();
    await page.waitForURL((url) => !url.search.includes('account='));
    await button('Account: All accounts').waitFor();
    await go('Users');
  });

  await step(t, 'ends a session of the user', async () => {
    const signIn = () =>
      fetch(`${world.server.origin}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ account: 'bakery', email: 'ada@example.com', password: 'Correct-Horse-7' }),
      });
    const { token } = await (await signIn()).json();
    const me = () => fetch(`${world.server.origin}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await me()).status, 200);
    await row('ada@example.com').getByRole('link', { name: 'ada@example.com' }).click();
    await drawer.getByText('1 session').waitFor();
    await drawer.getByRole('button', { name: 'Sign out everywhere' }).click();
    await drawer.getByText('0 sessions').waitFor();
    assert.equal((await me()).status, 401);
    await page.keyboard.press('Escape');
  });

  await step(t, 'puts a user into a group', async () => {
    await go('Groups');
    await page.getByRole('link', { name: 'Create group' }).click();
    await drawer.getByRole('combobox', { name: 'Account' }).fill('bakery');
    await page.getByRole('option', { name: 'Bakery and Café' }).click();
    await drawer.getByLabel('Name').fill('night-shift');
    await button('Create group').click();
    await row('night-shift').getByRole('link', { name: 'night-shift' }).click();
    await choose('Add a member', 'ada@example.com');
    await drawer.getByText('1 member').waitFor();
    await access();
    await picture('group');
    await page.keyboard.press('Escape');
    await row('night-shift').getByText('1', { exact: true }).waitFor();
  });

  await step(t, 'invites a user and cancels that', async () => {
    await go('Invitations');
    await button('Invite user').click();
    await drawer.getByLabel('E-mail').fill('grace@example.com');
    await drawer.getByRole('combobox', { name: 'Account' }).fill('bakery');
    await page.getByRole('option', { name: 'Bakery and Café' }).click();
    await button('Invite').click();
    await button('I have kept it').click();
    await row('grace@example.com').waitFor();
    await access();
    await picture('invitations');
    await button('Cancel invitation for grace@example.com').click();
    await page.getByText('Cancelled the invitation for grace@example.com.').waitFor();
    await page.getByText('No invitations').waitFor();
  });

  await step(t, 'shows a new API key once, and kills it', async () => {
    await go('API keys');
    await button('Create API key').click();
    await drawer.getByLabel('Name').fill('nightly import');
    // Nothing is allowed unless it is asked for.
    assert.ok(await drawer.getByRole('button', { name: 'Create API key' }).isDisabled());
    await drawer.getByRole('combobox', { name: 'Account' }).fill('bakery');
    await page.getByRole('option', { name: 'Bakery and Café' }).click();
    await drawer.getByLabel('Read records').check();
    await access();
    await picture('api-key-form');
    await drawer.getByRole('button', { name: 'Create API key' }).click();
    const key = await drawer.locator('pre').textContent();
    assert.match(key, /^sb_ak/);
    await button('I have kept it').click();
    await row('nightly import').waitFor();
    const names = () => fetch(`${world.server.origin}/api/v1/records/nothing`, { headers: { 'x-api-key': key } });
    assert.equal((await names()).status, 404);
    await access();
    await picture('api-keys');
    await button('Revoke nightly import').click();
    await button('Revoke key').click();
    await row('nightly import').getByText('revoked').waitFor();
    assert.equal((await names()).status, 401);
  });

  await step(t, 'finds a request that was refused', async () => {
    await go('Requests');
    // The list tells routes, not the paths that were sent.
    await row('/api/v1/records/{collection}').first().waitFor();
    await choose('Status', '4xx refused');
    await page.getByRole('textbox', { name: 'Search paths' }).fill('records');
    await page.waitForURL(/path=records/);
    await row('404').first().waitFor();
    assert.equal(await row('200').count(), 0);
    await access();
    await picture('requests');
    // Of a refusal it says what that means, of a write what it changed; its own requests it hides.
    await row('404').first().getByRole('link').click();
    await drawer.getByText('404: Not found').waitFor();
    await access();
    await picture('request');
    await page.keyboard.press('Escape');
    await page.goto(`${world.server.origin}/admin/requests?method=POST&path=collections`);
    await row('POST /api/v1/collections').first().getByRole('link').click();
    await drawer.getByRole('region', { name: 'In the audit trail' }).getByText('root@example.com created collection breads').waitFor();
    await page.keyboard.press('Escape');
    await row('/api/v1/admin/requests').waitFor({ state: 'detached' });
  });

  await step(t, 'tells who did what, and that nobody changed that', async () => {
    await go('Audit');
    await choose('Operation', 'Signed in');
    await row('ada@example.com').first().waitFor();
    await access();
    await picture('audit');
    await row('ada@example.com').first().getByRole('button').click();
    await page.getByText('Checksum').waitFor();
    await access();
    await picture('audit-entry');
    await button('Verify').click();
    await page.getByText(/^Verified: /).waitFor();
    await page.keyboard.press('Escape');
    const file = page.waitForEvent('download');
    await button('Export').click();
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    assert.equal((await file).suggestedFilename(), 'audit.csv');
  });

  await step(t, 'says where settings come from', async () => {
    await go('Settings');
    await page.getByRole('switch', { name: 'Changed only' }).press('Space');
    await row('port').getByText('environment').waitFor();
    await access();
    await picture('settings');
    await page.getByRole('textbox', { name: 'Search settings' }).fill('no such thing');
    await page.getByText('No such setting').waitFor();
  });

  await step(t, 'charts the traffic', async () => {
    await go('Overview');
    for (const name of ['Requests', 'Errors', 'Time taken', 'Realtime connections', 'Deliveries', 'Database']) await page.getByRole('figure', { name }).waitFor();
    const errors = page.getByRole('slider', { name: 'Errors, by time' });
    await errors.focus();
    await page.keyboard.press('ArrowRight');
    assert.match(await errors.getAttribute('aria-valuetext'), /^\d\d:\d\d: refused \(4xx\) \d+, failed \(5xx\) 0$/);
    await page.getByRole('radiogroup', { name: 'Range' }).getByText('Day').click();
    await page.getByRole('heading', { name: 'Last day' }).waitFor();
    await access();
    await picture('overview');
  });

  await step(t, 'says nothing on the console', () => assert.deepEqual(world.complaints, []));
});
