// Every page and state that has a picture: a name, an address, and what is done there first.
import { liveDot } from '../support/browser.js';
import { LONG } from './seed.js';

const CSV = 'Title,views,Rechnungsprüfungsausschussvorsitzende\nOne,1,x\n,2,y\nThree,many,z\n';

/** Answers as a server does that cannot reach its database. */
export function failing(page, path, address = `**/api/v1${path}`) {
  return page.route(address, (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/json',
      headers: { 'x-correlation-id': 'cid_01jd3q7v9k5m' },
      body: JSON.stringify({ error: 'Unavailable', message: 'The database is not reachable. Try again in a moment.', detail: 'The database is not reachable.' }),
    }),
  );
}

export function pictures({ record, longRecord, account, users, group }) {
  const posts = '/collections/posts';
  const button = (page, name) => page.getByRole('button', { name, exact: true });
  const menu = async (page, opener, item) => {
    await button(page, opener).click();
    if (item) await page.getByRole('menuitem', { name: item }).click();
  };
  const select = async (page, ...rows) => {
    for (const row of rows) await page.getByLabel(/^Select …/).nth(row).check();
  };
  const listener = async (page) => {
    const other = await page.context().newPage();
    await other.goto(new URL('/admin/live', page.url()).href);
    await other.getByText('Connected', { exact: true }).first().waitFor();
    await page.getByText('keeps up').first().waitFor();
  };
  return [
    { name: 'overview', path: '/' },
    { name: 'overview-error', path: '/', before: (page) => failing(page, '/admin/figures*') },
    { name: 'menu', path: '/', act: (page) => page.getByRole('button', { name: /^Account menu/ }).click(), navigation: true },
    { name: 'palette', path: `${posts}/records`, act: async (page) => { await page.getByRole('grid').waitFor(); await page.keyboard.press('Control+k'); await page.getByRole('combobox', { name: 'Search pages, collections and actions' }).fill('po'); } },

    { name: 'collections', path: '/collections' },
    { name: 'collections-none', path: '/collections?search=nothing' },
    { name: 'collections-error', path: '/collections', before: (page) => failing(page, '/collections?*') },
    { name: 'collections-import', path: '/collections', act: async (page) => { await menu(page, 'More about collections', 'Import collections'); await page.getByRole('dialog').waitFor(); } },
    { name: 'collection-new', path: '/collections/new', act: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('or');
      await page.getByLabel('Name of field 1').fill('created_at');
      await button(page, 'Add field').click();
      await page.getByLabel('Name of field 2').fill('buyer');
      await page.getByRole('combobox', { name: 'Type of buyer' }).or(page.getByLabel('Type of buyer')).first().click();
      await page.getByRole('option', { name: 'Reference' }).click();
      await button(page, 'Create collection').click();
    } },
    { name: 'map', path: '/map' },
    { name: 'map-error', path: '/map', before: (page) => failing(page, '/collections?*') },
    { name: 'access', path: '/map/access' },
    { name: 'switcher', path: '/users', act: async (page) => { await page.getByRole('button', { name: /^Account: / }).click(); await page.getByRole('option').nth(1).waitFor(); }, navigation: true },
    { name: 'users-narrowed', path: `/users?account=${account.id}` },
    { name: 'superadmin-new', path: '/users/new-superadmin' },
    { name: 'sample', path: '/collections/tasks/records' },
    { name: 'sample-board', path: '/collections/tasks/board', act: (page) => liveDot(page).waitFor() },
    { name: 'collection-missing', path: '/collections/missing/records' },

    { name: 'records', path: `${posts}/records` },
    { name: 'records-long', path: `/collections/${LONG}/records` },
    { name: 'records-empty', path: '/collections/comments/records' },
    { name: 'records-none', path: `${posts}/records?filter=views+%3C+0` },
    { name: 'records-error', path: `${posts}/records`, before: (page) => failing(page, '/records/posts?*') },
    { name: 'records-selected', path: `${posts}/records`, act: (page) => select(page, 1, 2) },
    { name: 'records-delete', path: `${posts}/records`, act: async (page) => { await select(page, 1, 2); await page.getByRole('region', { name: 'Selected records' }).getByRole('button', { name: 'Delete' }).click(); } },
    { name: 'records-bulk-edit', path: `${posts}/records`, act: async (page) => { await select(page, 1); await button(page, 'Edit a field').click(); await page.getByRole('dialog').waitFor(); } },
    { name: 'records-inline', path: `${posts}/records`, act: (page) => page.getByRole('gridcell', { name: /sour dough/ }).first().dblclick() },
    { name: 'records-filter-error', path: `${posts}/records?filter=views+%3E` },
    { name: 'records-filter', path: `${posts}/records?filter=${encodeURIComponent("views > 100 && title ~ '%sour%' && status = 'draft'")}`, act: (page) => button(page, 'Build filter').click() },
    { name: 'records-views', path: `${posts}/records`, act: async (page) => {
      await page.evaluate(() => {
        const view = { sort: '-views', filter: "status = 'published'", search: '', layout: { shown: null, pinned: ['id'], widths: {} } };
        localStorage.setItem('snackbase.views.posts', JSON.stringify([{ ...view, name: 'Most read' }, { ...view, name: 'Rechnungsprüfungsausschuss: noch zu veröffentlichen' }]));
      });
      await page.reload();
      await button(page, 'Saved views').click();
    } },
    { name: 'records-head', path: `${posts}/records?sort=status,-views`, act: async (page) => {
      await page.getByRole('grid').waitFor();
      await page.getByRole('columnheader', { name: 'title' }).getByRole('button', { name: 'Column title' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menuitem', { name: 'Pin to the left' }).waitFor();
    } },
    { name: 'records-deleted', path: `${posts}/records`, act: async (page, api) => {
      await liveDot(page).waitFor();
      // The other modes make one, too.
      const title = `Here for a moment ${Math.random()}`;
      const made = await api.post('/records/posts', { title });
      await page.getByRole('gridcell', { name: title }).waitFor();
      await api.delete(`/records/posts/${made.id}`);
      await page.locator('[data-gone]').first().waitFor();
    } },
    { name: 'records-columns', path: `${posts}/records`, act: (page) => button(page, 'Columns').click() },
    { name: 'records-more', path: `${posts}/records`, act: (page) => menu(page, 'More about these records') },
    { name: 'records-export', path: `${posts}/records`, act: (page) => menu(page, 'More about these records', 'Export CSV or JSON') },
    { name: 'records-import', path: `${posts}/records`, act: async (page) => {
      await menu(page, 'More about these records', 'Import CSV or JSON');
      await page.locator('input[type=file]').setInputFiles({ name: 'posts.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) });
      await page.getByText('One', { exact: true }).waitFor();
    } },
    { name: 'records-imported', path: `/collections/${LONG}/records`, act: async (page) => {
      await menu(page, 'More about these records', 'Import CSV or JSON');
      await page.locator('input[type=file]').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('bezeichnung_der_dienststelle,gesamtkosten_in_euro\n,1\nAmt,many\n') });
      await page.getByRole('dialog').getByRole('button', { name: /^Import \d/ }).click();
      await page.getByText(/2 refused/).waitFor();
    } },
    { name: 'session-over', path: `${posts}/records/${record}`, act: async (page) => {
      await page.getByRole('dialog').getByLabel('title').fill('Not lost');
      await page.route('**/api/v1/**', (route) => route.fulfill({ status: 401, contentType: 'application/json', body: JSON.stringify({ error: 'Unauthorized', message: 'The session is over.' }) }));
      await button(page, 'Save record').click();
      await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    } },
    { name: 'record-new', path: `${posts}/records/new`, act: (page) => page.getByRole('dialog').getByRole('button', { name: 'Create record' }).click() },
    { name: 'record', path: `${posts}/records/${record}` },
    { name: 'record-long', path: `/collections/${LONG}/records/${longRecord}` },
    { name: 'record-json', path: `${posts}/records/${record}?view=json` },
    { name: 'record-history', path: `${posts}/records/${record}?view=history` },
    { name: 'record-missing', path: `${posts}/records/00000000-0000-4000-8000-000000000000` },
    { name: 'record-discard', path: `${posts}/records/${record}`, act: async (page) => { await page.getByRole('dialog').getByLabel('title').fill('Changed'); await page.keyboard.press('Escape'); } },

    { name: 'fields', path: `${posts}/fields`, act: async (page) => {
      await page.getByLabel('Name of views').fill('readers');
      await button(page, 'Add field').click();
      await page.getByLabel('Name of field 9').fill('subtitle');
    } },
    { name: 'fields-details', path: `${posts}/fields`, act: async (page) => { await button(page, 'More about title').click(); await button(page, 'More about author').click(); } },
    { name: 'fields-long', path: `/collections/${LONG}/fields` },
    { name: 'rules', path: `${posts}/rules`, act: (page) => page.getByLabel('List expression').fill('published = true || nope = 1') },
    { name: 'rules-long', path: `/collections/${LONG}/rules` },
    { name: 'rules-error', path: `${posts}/rules`, before: (page) => failing(page, '/collections/posts/rules') },
    { name: 'rules-tester', path: `${posts}/rules`, act: async (page) => {
      await button(page, 'Use the newest record').click();
      await button(page, 'Edit details').click();
      await button(page, 'Try').click();
      await page.getByRole('region', { name: 'Try a rule' }).getByRole('status').waitFor();
      await page.getByRole('region', { name: 'Try a rule' }).scrollIntoViewIfNeeded();
    } },
    { name: 'settings', path: `${posts}/settings` },
    { name: 'settings-delete', path: `${posts}/settings`, act: (page) => button(page, 'Delete collection').click() },

    { name: 'macros', path: '/macros' },
    { name: 'macros-error', path: '/macros', before: (page) => failing(page, '/macros?*') },
    { name: 'macro-new', path: '/macros', act: (page) => button(page, 'Create macro').click() },
    { name: 'macro-try', path: '/macros', act: (page) => page.getByRole('button', { name: /^Try / }).first().click() },

    { name: 'live', path: '/live', act: async (page, api) => {
      await page.getByText('Connected', { exact: true }).first().waitFor();
      const made = await api.post('/records/comments', { body: 'First!' });
      await api.delete(`/records/comments/${made.id}`);
      await page.getByText('First!').first().waitFor();
    } },
    { name: 'playground', path: '/live/playground?collection=posts&filter=views%20%3E%20-1&old=true', act: async (page) => {
      await button(page, 'Connect').click();
      const frames = page.getByRole('list', { name: 'Frames, newest first' });
      await frames.getByText('subscribed').first().waitFor();
      await button(page, 'Create').click();
      await frames.getByRole('button').filter({ hasText: 'posts.create' }).first().click();
    } },
    { name: 'connections', path: '/live/connections', act: listener },
    { name: 'connection', path: '/live/connections', act: async (page) => {
      await listener(page);
      await page.getByRole('table').getByRole('link').first().click();
      await button(page, 'End connection').waitFor();
    } },
    { name: 'connections-none', path: '/live/connections?protocol=pocketbase' },
    { name: 'connections-error', path: '/live/connections', before: (page) => failing(page, '/admin/realtime/**') },
    { name: 'api-list', path: `${posts}/api`, act: async (page) => {
      await button(page, 'Send GET').click();
      await page.getByRole('region', { name: 'Response', exact: true }).waitFor();
    } },
    { name: 'api-change', path: `${posts}/api?op=change` },
    { name: 'api-realtime', path: `${posts}/api?op=realtime` },
    { name: 'api-types', path: `/collections/${LONG}/api?op=types` },
    { name: 'api-long', path: `/collections/${LONG}/api?op=create` },
    { name: 'api-error', path: `${posts}/api`, before: (page) => failing(page, '', '**/openapi.json') },

    { name: 'users', path: '/users' },
    { name: 'users-none', path: '/users?search=nobody' },
    { name: 'users-error', path: '/users', before: (page) => failing(page, '/users?*') },
    { name: 'user-new', path: '/users/new', act: async (page) => { await page.getByRole('dialog').getByLabel('E-mail').fill('ada@example.com'); await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill('short'); await button(page, 'Create user').click(); } },
    { name: 'user', path: `/users/${users[2].id}` },
    { name: 'user-error', path: `/users/${users[2].id}`, before: (page) => failing(page, '/users/*') },
    { name: 'accounts', path: '/accounts' },
    { name: 'accounts-error', path: '/accounts', before: (page) => failing(page, '/accounts?*') },
    { name: 'accounts-none', path: '/accounts?search=nobody' },
    { name: 'account', path: `/accounts/${account.id}` },
    { name: 'account-error', path: `/accounts/${account.id}`, before: (page) => failing(page, '/accounts/*') },
    { name: 'account-new', path: '/accounts/new' },
    { name: 'account-delete', path: `/accounts/${account.id}`, act: (page) => button(page, 'Delete account').click() },
    { name: 'groups', path: '/groups' },
    { name: 'groups-error', path: '/groups', before: (page) => failing(page, '/groups?*') },
    { name: 'group', path: `/groups/${group.id}` },
    { name: 'group-new', path: '/groups/new' },
    { name: 'roles', path: '/roles' },
    { name: 'roles-error', path: '/roles', before: (page) => failing(page, '/roles') },
    { name: 'role-new', path: '/roles', act: (page) => button(page, 'Create role').click() },
    { name: 'invitations', path: '/invitations' },
    { name: 'invitations-error', path: '/invitations', before: (page) => failing(page, '/invitations?*') },
    { name: 'invitations-none', path: '/invitations?status=accepted' },
    { name: 'invite', path: '/invitations', act: (page) => button(page, 'Invite user').click() },
    { name: 'api-keys', path: '/api-keys' },
    { name: 'api-keys-error', path: '/api-keys', before: (page) => failing(page, '/admin/api-keys?*') },
    { name: 'api-key-new', path: '/api-keys', act: (page) => button(page, 'Create API key').first().click() },
    { name: 'api-key-server', path: '/api-keys', act: async (page) => { await button(page, 'Create API key').first().click(); await page.getByLabel('Every account, as a superadmin').check(); await page.getByLabel('Everything', { exact: true }).check(); } },
    { name: 'requests', path: '/requests' },
    { name: 'request', path: '/requests?method=PATCH', act: async (page) => { await page.getByRole('table').getByRole('link').last().click(); await page.getByRole('region', { name: 'In the audit trail' }).waitFor(); } },
    { name: 'requests-error', path: '/requests', before: (page) => failing(page, '/admin/requests?*') },
    { name: 'requests-none', path: '/requests?path=nowhere' },
    { name: 'audit', path: '/audit' },
    { name: 'audit-error', path: '/audit', before: (page) => failing(page, '/audit-logs?*') },
    { name: 'audit-entry', path: '/audit?operation=UPDATE', act: async (page) => { await page.getByRole('row').filter({ hasText: 'second edition' }).getByRole('button').click(); await page.getByText('Checksum').waitFor(); } },
    { name: 'audit-none', path: '/audit?table=nothing' },
    { name: 'server-settings', path: '/settings' },
    { name: 'server-settings-error', path: '/settings', before: (page) => failing(page, '/admin/settings') },
    { name: 'server-settings-none', path: '/settings?search=zzz' },
    { name: 'not-found', path: '/nowhere' },
  ];
}
