// Takes every page in light, dark and narrow into a folder: node e2e/screenshots.js <folder>
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, openPage } from './support/browser.js';
import { signIn, startServer } from './support/server.js';

const EMAIL = 'root@example.com';
const PASSWORD = 'Correct-Horse-7';
const folder = process.argv[2] ?? 'screenshots';

const MODES = [
  { name: 'light', colorScheme: 'light' },
  { name: 'dark', colorScheme: 'dark' },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 390, height: 844 } },
];

const TITLES = ['On sour dough', 'A week without plans', 'Notes on the Engine', 'The quiet release', 'How we moved house'];

async function fill(api) {
  const field = (name, type, more = {}) => ({ name, type, ...more });
  await api.post('/collections', {
    name: 'authors',
    fields: [field('name', 'text', { required: true }), field('email', 'email', { unique: true, pii: true, mask_type: 'email' })],
  });
  await api.post('/collections', {
    name: 'posts',
    fields: [
      field('title', 'text', { required: true }),
      field('views', 'number', { default: 0 }),
      field('published', 'boolean'),
      field('happens_at', 'datetime'),
      field('author', 'reference', { collection: 'authors', on_delete: 'set_null' }),
      field('meta', 'json'),
    ],
  });
  await api.post('/collections', { name: 'comments', fields: [field('body', 'text')], list_rule: '' });
  await api.put('/collections/posts/rules', {
    list_rule: "published = true || created_by = @request.auth.id",
    view_rule: '',
    create_rule: "@request.auth.role = 'admin'",
    update_fields: '["title","views"]',
  });
  const authors = [];
  for (const name of ['Ada Lovelace', 'Grace Hopper']) {
    authors.push(await api.post('/records/authors', { name, email: `${name.split(' ')[0].toLowerCase()}@example.com` }));
  }
  for (let index = 0; index < 64; index += 1) await api.post('/records/posts', post(index, authors));
  return api.get('/records/posts?limit=1');
}

function post(index, authors) {
  return {
    title: `${TITLES[index % TITLES.length]}${index > 4 ? `, part ${index}` : ''}`,
    views: index * index * 7,
    published: index % 3 === 0 ? null : index % 2 === 0,
    happens_at: new Date(Date.UTC(2026, 0, 1 + index, 9, 30)).toISOString(),
    author: authors[index % 2].id,
    meta: index % 4 === 0 ? { tags: ['bread', 'home'], pages: index } : null,
  };
}

const server = await startServer();
const browser = await launch();
const complaints = [];

async function picture(page, mode, name) {
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(250);
  await page.screenshot({ path: join(folder, `${name}-${mode}.png`) });
}

try {
  await mkdir(folder, { recursive: true });
  for (const { name: mode, ...options } of MODES) {
    const { page, context } = await openPage(browser, server.origin, options);
    await page.goto(`${server.origin}/admin/login`);
    await page.getByText('no superadmin yet').waitFor();
    await picture(page, mode, '00-needs-setup');
    await page.goto(server.setupUrl);
    await page.getByLabel('Password', { exact: true }).fill('Correct-Horse');
    await picture(page, mode, '01-setup');
    await context.close();
  }
  const first = await openPage(browser, server.origin);
  await first.page.goto(server.setupUrl);
  await first.page.getByLabel('E-mail').fill(EMAIL);
  await first.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await first.page.getByRole('button', { name: 'Create superadmin' }).click();
  await first.page.getByText('Start with a collection').waitFor();
  await picture(first.page, 'light', '02-overview-empty');
  await first.page.goto(`${server.origin}/admin/collections`);
  await picture(first.page, 'light', '03-collections-empty');
  const api = await signIn(server.origin, EMAIL, PASSWORD);
  const { items } = await fill(api);
  const storage = await first.context.storageState();

  for (const { name: mode, ...options } of MODES) {
    const opened = await openPage(browser, server.origin, { ...options, storageState: storage });
    const { page } = opened;
    const go = async (path) => page.goto(`${server.origin}/admin${path}`);
    const button = (name) => page.getByRole('button', { name, exact: true });

    await go('/');
    await picture(page, mode, '10-overview');
    await go('/collections');
    await picture(page, mode, '11-collections');
    await go('/collections?search=nothing');
    await picture(page, mode, '12-collections-none');
    await go('/collections/new');
    await page.getByLabel('Name', { exact: true }).fill('or');
    await page.getByLabel('Name of field 1').fill('created_at');
    await button('Add field').click();
    await page.getByLabel('Name of field 2').fill('buyer');
    await page.getByRole('combobox', { name: 'Type of buyer' }).or(page.getByLabel('Type of buyer')).first().click();
    await page.getByRole('option', { name: 'Reference' }).click();
    await button('Create collection').click();
    await picture(page, mode, '13-new-collection');
    await go('/collections/posts/records');
    await picture(page, mode, '14-records');
    await page.getByLabel(/^Select …/).nth(1).check();
    await page.getByLabel(/^Select …/).nth(2).check();
    await picture(page, mode, '15-records-selected');
    await page.getByRole('region', { name: 'Selected records' }).getByRole('button', { name: 'Delete' }).click();
    await picture(page, mode, '16-records-delete');
    await go('/collections/posts/records?filter=views+%3E');
    await picture(page, mode, '17-records-filter-error');
    await go(`/collections/posts/records?filter=${encodeURIComponent("views > 100 && title ~ '%sour%'")}`);
    await button('Put a filter together').click();
    await picture(page, mode, '18-records-filter-builder');
    await go('/collections/posts/records');
    await page.getByRole('gridcell', { name: /sour dough/ }).first().dblclick();
    await picture(page, mode, '18b-records-inline');
    await page.keyboard.press('Escape');
    await page.getByLabel(/^Select …/).nth(1).check();
    await button('Edit a field').click();
    await picture(page, mode, '18c-records-bulk-edit');
    await go('/collections/posts/records');
    await button('More about these records').click();
    await picture(page, mode, '18d-records-more');
    await page.getByRole('menuitem', { name: 'Import CSV or JSON' }).click();
    await page.locator('input[type=file]').setInputFiles({
      name: 'posts.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('Title,views,Rechnungsprüfungsausschussvorsitzende\nOne,1,x\n,2,y\nThree,many,z\n'),
    });
    await picture(page, mode, '18e-records-import');
    await button('Import 3 records').click();
    await page.getByText(/refused/).first().waitFor();
    await picture(page, mode, '18f-records-import-report');
    await go('/collections/posts/records');
    await page.getByRole('grid').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search pages, collections and actions' }).fill('po');
    await picture(page, mode, '18g-palette');
    await go('/collections/posts/records');
    await button('Columns').click();
    await picture(page, mode, '19-records-columns');
    await go('/collections/comments/records');
    await picture(page, mode, '20-records-empty');
    await go('/collections/posts/records/new');
    await button('Create record').click();
    await picture(page, mode, '21-record-new');
    await go(`/collections/posts/records/${items[0].id}`);
    await picture(page, mode, '22-record');
    await go(`/collections/posts/records/${items[0].id}?view=json`);
    await picture(page, mode, '23-record-json');
    await go('/collections/posts/fields');
    await button('More about author').click();
    await button('Add field').click();
    await page.getByLabel('Name of field 7').fill('subtitle');
    await picture(page, mode, '24-fields');
    await go('/collections/posts/rules');
    await page.getByLabel('List expression').fill('published = true || nope = 1');
    await picture(page, mode, '25-rules');
    await page.getByRole('region', { name: 'Try a rule' }).scrollIntoViewIfNeeded();
    await page.getByLabel('List expression').fill("created_by = @request.auth.id");
    await button('Fill in the newest record').click();
    await button('Try').click();
    await page.getByRole('status').last().scrollIntoViewIfNeeded();
    await picture(page, mode, '26-rules-tester');
    await go('/collections/posts/settings');
    await picture(page, mode, '27-settings');
    await button('Delete collection').click();
    await picture(page, mode, '28-settings-delete');
    await go('/live');
    await page.getByText('Connected', { exact: true }).waitFor();
    await picture(page, mode, '29-live-empty');
    const made = await api.post('/records/posts', { title: `Live in ${mode}` });
    await api.post('/records/comments', { body: 'First!' });
    await api.delete(`/records/posts/${made.id}`);
    await page.getByText('First!').waitFor();
    await picture(page, mode, '30-live');
    await page.getByRole('button', { name: /^Open event/ }).first().click();
    await picture(page, mode, '31-live-event');
    await go('/live/playground?collection=posts&filter=views%20%3E%20100&old=true');
    await button('Connect').click();
    await page.getByRole('list', { name: 'Frames, newest first' }).getByText('subscribed').first().waitFor();
    await button('Create').click();
    await page.getByText(/^Created/).waitFor();
    await picture(page, mode, '31a-playground');
    const listener = await opened.context.newPage();
    await listener.goto(`${server.origin}/admin/live`);
    await listener.getByText('Connected', { exact: true }).waitFor();
    await go('/live/connections');
    await page.getByText('keeps up').first().waitFor();
    await picture(page, mode, '31b-connections');
    await page.getByRole('table', { name: 'Connections' }).getByRole('link').first().click();
    await page.getByRole('button', { name: 'End connection' }).waitFor();
    await picture(page, mode, '31c-connection');
    await listener.close();
    await go('/collections/posts/api');
    await button('Send GET').click();
    await page.getByRole('region', { name: 'Answer' }).waitFor();
    await picture(page, mode, '31d-api-list');
    await go('/collections/posts/api?op=change');
    await picture(page, mode, '31e-api-change');
    await go('/collections/missing/records');
    await picture(page, mode, '32-missing');
    await go('/nowhere');
    await picture(page, mode, '33-not-found');
    await go('/');
    if (mode === 'narrow') await page.getByRole('button', { name: 'Open navigation' }).click();
    await page.getByRole('button', { name: /^Account menu/ }).click();
    await picture(page, mode, '34-menu');
    await go('/login');
    complaints.push(...opened.complaints);
    await opened.context.close();
  }
  for (const { name: mode, ...options } of MODES) {
    const { page, context } = await openPage(browser, server.origin, options);
    await page.goto(`${server.origin}/admin/login`);
    await page.getByLabel('E-mail').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await picture(page, mode, '35-login');
    await context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}
for (const complaint of complaints) console.error(complaint);
console.log(`Pictures in ${folder}, ${complaints.length} complaints.`);
