// One person's first quarter of an hour, against the real server.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { accessProblems } from './support/axe.js';
import { launch, liveDot, openPage } from './support/browser.js';
import { signIn, startServer } from './support/server.js';

const EMAIL = 'root@example.com';
const PASSWORD = 'Correct-Horse-7';

let server;
let browser;
let page;
let complaints;

before(async () => {
  server = await startServer();
  browser = await launch();
  ({ page, complaints } = await openPage(browser, server.origin));
  drawer = page.getByRole('dialog');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Steps build on each other, so the first failure ends the walk with a picture of it. */
let failed = false;
async function step(context, name, run) {
  await context.test(name, { skip: failed }, async () => {
    try {
      await run();
    } catch (error) {
      failed = true;
      if (process.env.E2E_PICTURES) await page.screenshot({ path: `${process.env.E2E_PICTURES}/failed.png` });
      throw error;
    }
  });
}

let drawer;
const access = async () => assert.deepEqual(await accessProblems(page), []);
const button = (name) => page.getByRole('button', { name, exact: true });
const link = (name) => page.getByRole('link', { name, exact: true });
const tab = (name) => page.getByRole('navigation', { name: /^Collection / }).getByRole('link', { name, exact: true });
const choose = async (label, option) => {
  await page.getByRole('combobox', { name: label, exact: true }).or(page.getByLabel(label, { exact: true })).first().click();
  await page.getByRole('option', { name: option }).click();
};

test('the walk', async (t) => {
  await step(t, 'sets up the first superadmin', async () => {
    await page.goto(`${server.origin}/admin/`);
    await page.getByText('no superadmin yet').waitFor();
    await page.goto(server.setupUrl);
    await page.getByLabel('E-mail').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill('short');
    assert.equal(await button('Create superadmin').isDisabled(), true);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button('Create superadmin').click();
    await page.getByText('Start with a collection').waitFor();
  });

  await step(t, 'loads less than 300 KB of script at first', async () => {
    const scripts = new Map();
    const note = (response) => {
      if (response.url().endsWith('.js')) scripts.set(response.url(), response.body().then((body) => gzipSync(body).length));
    };
    page.on('response', note);
    await page.reload();
    await page.getByText('Start with a collection').waitFor();
    await page.waitForLoadState('networkidle');
    page.off('response', note);
    const sizes = await Promise.all(scripts.values());
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(total > 50_000 && total < 300_000, `${total} bytes compressed`);
    t.diagnostic(`${total} bytes of script, compressed`);
  });

  await step(t, 'offers a sample that goes away in one click', async () => {
    await access();
    // The offer goes away with the first list that is read again; others may take longer.
    const names = '**/api/v1/collections/names';
    await page.route(names, async (route) => {
      await page.waitForTimeout(500);
      await route.continue();
    });
    await button('Try it with sample tasks').click();
    await page.getByRole('gridcell', { name: 'Add a field' }).waitFor();
    await page.getByText('8 records', { exact: true }).waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    await access();
    await link('Open the live demo').click();
    const other = await page.context().newPage();
    await other.goto(page.url());
    for (const board of [page, other]) await liveDot(board).waitFor();
    await page.getByRole('button', { name: 'Move Add a field to In progress' }).click();
    const moved = (board) => board.getByRole('region', { name: 'In progress' }).getByText('Add a field').waitFor();
    await Promise.all([moved(page), moved(other)]);
    await other.getByLabel('Title of a new task').fill('Made in the other window');
    await other.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Open' }).getByText('Made in the other window').waitFor();
    await access();
    const api = await signIn(server.origin, EMAIL, PASSWORD);
    const made = await api.get("/records/tasks?filter=title ~ 'Made%'");
    await api.delete(`/records/tasks/${made.items[0].id}`);
    await page.getByText('Made in the other window').waitFor({ state: 'detached' });
    await other.close();
    await button('Remove the sample').click();
    await page.getByText('No collections yet').waitFor();
    await page.getByRole('button', { name: /^Undo/ }).click();
    await link('tasks').last().click();
    await page.getByText('8 records', { exact: true }).waitFor();
  });

  await step(t, 'edits in place, in bulk, and keeps a view', async () => {
    const cell = page.getByRole('gridcell', { name: 'Add a field' });
    await cell.dblclick();
    await page.getByLabel(/^title of/).fill('');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'title' }).waitFor();
    await page.getByLabel(/^title of/).fill('Add two fields');
    await page.keyboard.press('Enter');
    await page.getByRole('gridcell', { name: 'Add two fields' }).waitFor();
    await page.getByLabel(/^Select …/).nth(0).check();
    await page.getByLabel(/^Select …/).nth(1).check();
    await button('Edit a field').click();
    await choose('Field', 'notes');
    await drawer.getByLabel('notes', { exact: true }).fill('Changed together');
    await button('Update 2 records').click();
    await page.getByText('Updated notes of 2 records').waitFor();
    await page.getByRole('gridcell', { name: 'Changed together' }).nth(1).waitFor();
    assert.equal(await page.getByRole('gridcell', { name: 'Changed together' }).count(), 2);
    await button('Build filter').click();
    await button('Add condition').click();
    await choose('Field of condition 1', 'notes');
    await page.getByLabel('Value of condition 1').fill('together');
    await access();
    await button('Apply').click();
    await page.getByText('2 records', { exact: true }).waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Filter', exact: true }).inputValue(), "notes ~ '%together%'");
    await button('Saved views').click();
    await page.getByLabel('Name of the view').fill('Together');
    await button('Save view').click();
    await button('Clear the filter').click();
    await page.getByText('8 records', { exact: true }).waitFor();
    await button('Saved views').click();
    await button('Together').click();
    await page.getByText('2 records', { exact: true }).waitFor();
    await button('Clear the filter').click();
  });

  await step(t, 'imports a file and says which rows were refused', async () => {
    await button('More about these records').click();
    await page.getByRole('menuitem', { name: 'Import CSV or JSON' }).click();
    const rows = Array.from({ length: 130 }, (_, index) => `${index === 70 ? '' : `Row ${index}`},${index === 110 ? 'many' : 2}`);
    await page.locator('input[type=file]').setInputFiles({ name: 'tasks.csv', mimeType: 'text/csv', buffer: Buffer.from(['Title,Priority', ...rows].join('\n')) });
    await page.getByText('Row 0', { exact: true }).waitFor();
    await button('Import 130 records').click();
    await page.getByText('Created 128 records, 2 refused.').waitFor();
    await drawer.getByRole('row', { name: /^71 / }).waitFor();
    await drawer.getByRole('row', { name: /^111 .*many/ }).waitFor();
    await access();
    await drawer.getByRole('button', { name: 'Close', exact: true }).last().click();
    await page.getByText('136 records', { exact: true }).waitFor();
  });

  await step(t, 'exports what the list shows', async () => {
    await button('More about these records').click();
    await page.getByRole('menuitem', { name: 'Export CSV or JSON' }).click();
    const [file] = await Promise.all([page.waitForEvent('download'), button('Export').click()]);
    const text = await readFile(await file.path(), 'utf8');
    assert.equal(text.trim().split('\r\n').length, 137);
    assert.match(text, /^id,title,status,/);
  });

  await step(t, 'says what saving fields does to data, and how definitions move', async () => {
    await link('Fields').click();
    await button('Add field').click();
    await page.getByLabel('Name of field 7').fill('estimate');
    await page.getByLabel('due is required').check();
    const before = page.getByRole('region', { name: 'Before saving' });
    await before.getByText('136 records stay without a value.').waitFor();
    await before.getByText('checked against the data').waitFor();
    await access();
    await button('Save fields').click();
    await page.getByRole('listitem', { name: 'due' }).getByText(/without a value|has no value|are without|required/i).last().waitFor();
    await page.getByLabel('due is required').uncheck();
    await button('Save fields').click();
    await page.getByText('Saved the fields of tasks').waitFor();
    await tab('Settings').click();
    const [file] = await Promise.all([page.waitForEvent('download'), button('Export').click()]);
    await link('Duplicate').click();
    await page.getByLabel('Name', { exact: true }).fill('chores');
    await button('Create collection').click();
    await page.waitForURL(/\/chores\/records/);
    await link('Collections').first().click();
    await button('More about collections').click();
    await page.getByRole('menuitem', { name: 'Import collections' }).click();
    await page.locator('input[type=file]').setInputFiles(await file.path());
    await drawer.getByText('Name is taken', { exact: true }).waitFor();
    await page.getByLabel('Name of tasks here').fill('errands');
    await drawer.getByText('New', { exact: true }).waitFor();
    await access();
    await button('Import 1 collection').click();
    await link('errands').first().waitFor();
    // The same file again: what it would change is said first.
    await button('More about collections').click();
    await page.getByRole('menuitem', { name: 'Import collections' }).click();
    await page.locator('input[type=file]').setInputFiles(await file.path());
    await drawer.getByText('Update', { exact: true }).click();
    await drawer.getByText('The fields are the same; the rules become those of the file.').waitFor();
    await drawer.getByRole('button', { name: 'Cancel' }).click();
    for (const name of ['tasks', 'errands']) {
      const api = await signIn(server.origin, EMAIL, PASSWORD);
      await api.delete(`/collections/${name}`);
    }
    await page.goto(`${server.origin}/admin/collections`);
  });

  await step(t, 'renames a field and a collection, and data goes along', async () => {
    await link('chores').first().click();
    await tab('Fields').click();
    const layout = { shown: ['title', 'notes'], pinned: ['notes'], widths: { notes: 200 } };
    await page.evaluate((kept) => localStorage.setItem('snackbase.grid.chores', kept), JSON.stringify(layout));
    await page.getByLabel('Name of notes').fill('remarks');
    await page.getByRole('region', { name: 'Before saving' }).getByText('is renamed to remarks').waitFor();
    await button('Save fields').click();
    await page.getByText('Saved the fields of chores').waitFor();
    await page.getByLabel('Name of remarks').waitFor();
    // What the browser keeps of the columns follows.
    await page.waitForFunction(() => /"shown":\["title","remarks"\]/.test(localStorage.getItem('snackbase.grid.chores')));
    await access();
    await tab('Settings').click();
    await page.getByLabel('Name of the collection').fill('no');
    await button('Rename').click();
    await page.locator('.mantine-TextInput-error').waitFor();
    // What was refused has the focus, so that it can be mended at once.
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
    await page.getByLabel('Name of the collection').fill('housework');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/housework\/settings/);
    await link('housework').first().waitFor();
    await link('chores').first().waitFor({ state: 'detached' });
    const api = await signIn(server.origin, EMAIL, PASSWORD);
    assert.ok((await api.get('/collections/housework')).schema.some((field) => field.name === 'remarks'));
    await access();
    await api.delete('/collections/housework');
    await page.goto(`${server.origin}/admin/collections`);
  });

  await step(t, 'shows the server\'s errors at the fields', async () => {
    await link('Create collection').first().click();
    await page.getByLabel('Name', { exact: true }).fill('authors');
    await page.getByLabel('Name of field 1').fill('id');
    await button('Create collection').click();
    await page.getByRole('listitem', { name: 'id' }).locator('.mantine-TextInput-error').waitFor();
  });

  await step(t, 'creates a collection', async () => {
    await page.getByLabel('Name of field 1').fill('name');
    await page.getByLabel('name is required').check();
    await button('Create collection').click();
    await page.getByText('No records yet').waitFor();
    assert.match(page.url(), /\/collections\/authors\/records/);
  });

  await step(t, 'creates a collection with several field types', async () => {
    await link('Collections').first().click();
    await link('Create collection').first().click();
    await page.getByLabel('Name', { exact: true }).fill('posts');
    const fields = [
      ['title', null],
      ['views', 'Number'],
      ['published', 'Boolean'],
      ['happens_at', 'Date and time'],
      ['meta', 'JSON'],
      ['author', 'Reference'],
    ];
    for (const [index, [name, type]] of fields.entries()) {
      if (index > 0) await button('Add field').click();
      await page.getByLabel(`Name of field ${index + 1}`).fill(name);
      if (type) await choose(`Type of ${name}`, type);
    }
    await page.getByLabel('title is required').check();
    await choose('Target collection', 'authors');
    await choose('When the target is deleted', 'Clear this field');
    await button('Create collection').click();
    await page.getByText('No records yet').waitFor();
  });

  await step(t, 'writes rules and is told about mistakes', async () => {
    await link('Rules').click();
    const list = page.getByRole('region', { name: 'List rule' });
    await list.getByText('Expression', { exact: true }).click();
    await list.getByLabel('List expression').fill('nope = 1');
    await list.getByText(/nope/).last().waitFor();
    await list.locator('[class*="wrong"]').filter({ hasText: 'nope' }).waitFor();
    await list.getByLabel('List expression').fill('');
    await list.getByLabel('List expression').pressSequentially('@request.auth.i');
    await list.getByRole('option', { name: '@request.auth.id' }).waitFor();
    await page.keyboard.press('Enter');
    await list.getByLabel('List expression').pressSequentially(" != ''");
    await list.getByText('Valid', { exact: true }).waitFor();
    await list.getByText('any signed-in user').waitFor();
    await list.getByText('Signed-in users', { exact: true }).waitFor();
    await access();
    await page.getByRole('region', { name: 'View rule' }).getByText('Public', { exact: true }).click();
    await button('Save rules').click();
    await page.getByText('Saved the rules of posts').waitFor();
    const tester = page.getByRole('region', { name: 'Try a rule' });
    await tester.getByRole('button', { name: 'Try', exact: true }).click();
    await tester.getByText('Let in.').waitFor();
  });

  await step(t, 'creates a record, with a reference found by its name', async () => {
    const api = await signIn(server.origin, EMAIL, PASSWORD);
    await api.post('/records/authors', { name: 'Ada Lovelace' });
    await link('Records').click();
    await link('Create record').first().click();
    await button('Create record').click();
    await page.locator('.mantine-Textarea-error').first().waitFor();
    await drawer.getByLabel('title').fill('Notes on the Engine');
    await drawer.getByLabel('views').fill('12');
    await page.getByText('True', { exact: true }).click();
    await drawer.getByLabel('happens_at').fill('2026-05-01T12:30:00');
    await drawer.getByLabel('meta').fill('{"pages": 66');
    await button('Create record').click();
    await drawer.getByLabel('meta').fill('{"pages": 66}');
    await drawer.getByRole('combobox', { name: 'author' }).or(drawer.getByLabel('author')).first().fill('Love');
    await page.getByRole('option', { name: /Ada Lovelace/ }).click();
    await button('Create record').click();
    await page.getByRole('gridcell', { name: 'Notes on the Engine' }).waitFor();
  });

  await step(t, 'edits the record in its drawer, which has its own address', async () => {
    await page.getByRole('row', { name: /Notes on the Engine/ }).getByRole('link', { name: /^Open/ }).click();
    await page.waitForURL(/\/records\/[0-9a-f-]{36}/);
    await page.reload();
    await drawer.getByLabel('title').fill('Notes on the Analytical Engine');
    await button('Save record').click();
    await page.getByText('Saved record').waitFor();
    await page.getByRole('radiogroup', { name: 'View' }).getByText('JSON').click();
    await page.getByText('"views": 12').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('gridcell', { name: 'Notes on the Analytical Engine' }).waitFor();
  });

  await step(t, 'asks before it loses what was typed', async () => {
    await page.getByRole('row', { name: /Notes on the Analytical/ }).getByRole('link', { name: /^Open/ }).click();
    await drawer.getByLabel('title').fill('Half a thou');
    await page.keyboard.press('Escape');
    await button('Discard').waitFor();
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    await page.keyboard.type('ght');
    assert.equal(await drawer.getByLabel('title').inputValue(), 'Half a thought');
    await page.goBack();
    await button('Discard').click();
    await page.getByRole('gridcell', { name: 'Notes on the Analytical Engine' }).waitFor();
  });

  await step(t, 'filters with the text that the API takes', async () => {
    const filter = page.getByLabel('Filter', { exact: true });
    await filter.fill('views > 100');
    await filter.press('Enter');
    await page.getByText('No record matches').waitFor();
    await filter.fill('views >');
    await filter.press('Enter');
    await page.locator('[class*="wrong"]').waitFor();
    await access();
    await button('Clear the filter').click();
    await page.getByRole('gridcell', { name: 'Notes on the Analytical Engine' }).waitFor();
  });

  await step(t, 'shows events live', async () => {
    const api = await signIn(server.origin, EMAIL, PASSWORD);
    await link('Live').click();
    await page.getByText('Connected', { exact: true }).waitFor();
    await api.post('/records/posts', { title: 'Made elsewhere' });
    await page.getByText('Made elsewhere').waitFor();
    await page.getByRole('button', { name: /^Open event/ }).first().click();
    await page.getByText('"title": "Made elsewhere"').waitFor();
    await page.keyboard.press('Escape');
  });

  await step(t, 'deletes several records after asking', async () => {
    await page.goto(`${server.origin}/admin/collections/posts/records`);
    await page.getByRole('gridcell', { name: 'Made elsewhere' }).waitFor();
    await page.getByLabel('Select the loaded records').check();
    await page.getByRole('region', { name: 'Selected records' }).getByRole('button', { name: 'Delete' }).click();
    await button('Delete 2 records').click();
    await page.getByText('No records yet').waitFor();
  });

  await step(t, 'deletes a collection after its name was typed', async () => {
    await tab('Settings').click();
    await button('Delete collection').click();
    assert.equal(await button('Delete posts').isDisabled(), true);
    await page.getByLabel(/to confirm/).fill('posts');
    await button('Delete posts').click();
    await page.waitForURL(/\/admin\/collections$/);
    // In the list and in the sidebar.
    await page.getByRole('main').getByRole('link', { name: 'authors', exact: true }).waitFor();
    await link('posts').first().waitFor({ state: 'detached' });
    assert.equal(await link('posts').count(), 0);
  });

  await step(t, 'signs in again without losing what was typed', async () => {
    await page.goto(`${server.origin}/admin/collections/authors/records/new`);
    await drawer.getByLabel('name').fill('Grace Hopper');
    // Otherwise what the page still asks for may be the first to hear that the session has ended.
    await liveDot(page).waitFor();
    await page.waitForLoadState('networkidle');
    await page.evaluate(() => {
      const session = JSON.parse(localStorage.getItem('snackbase.session'));
      localStorage.setItem('snackbase.session', JSON.stringify({ ...session, token: 'spoilt', refreshToken: 'spoilt' }));
      // A storage event is what another tab would cause.
      window.dispatchEvent(new StorageEvent('storage', { key: 'snackbase.session' }));
    });
    await button('Create record').click();
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button('Sign in').click();
    await page.getByRole('gridcell', { name: 'Grace Hopper' }).waitFor();
  });

  await step(t, 'signs out and in', async () => {
    await page.getByRole('button', { name: /^Account menu/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForURL(/\/admin\/login/);
    await page.getByLabel('E-mail').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill('Wrong-Horse-77');
    await button('Sign in').click();
    await page.getByRole('main').getByRole('alert').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button('Sign in').click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  assert.deepEqual(complaints, []);
});
