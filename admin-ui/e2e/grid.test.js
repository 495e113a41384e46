// Relations, sums, pasting and the map: what goes on between collections.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessProblems } from './support/axe.js';
import { startSignedIn } from './support/signed-in.js';

let world;
let page;

before(async () => {
  world = await startSignedIn();
  page = world.page;
});

after(() => world?.stop());

const button = (name) => page.getByRole('button', { name, exact: true });
const access = async () => assert.deepEqual(await accessProblems(page), []);
const open = (path) => page.goto(`${world.server.origin}/admin${path}`);

test('records and what belongs to them', async (t) => {
  const { api } = world;
  const acme = await api.post('/accounts', { name: 'Acme', slug: 'acme' });
  const other = await api.post('/accounts', { name: 'Other', slug: 'other' });
  await api.post('/collections', { name: 'authors', fields: [{ name: 'name', type: 'text' }] });
  await api.post('/collections', {
    name: 'books',
    fields: [
      { name: 'title', type: 'text' },
      { name: 'pages', type: 'number' },
      { name: 'author', type: 'reference', collection: 'authors', on_delete: 'cascade' },
    ],
    create_rule: '',
  });
  const ada = await api.post('/records/authors', { name: 'Ada', account_id: acme.id });
  await api.post('/records/authors', { name: 'Ada', account_id: other.id });
  for (const [title, pages] of [['One', 100], ['Two', 250]]) await api.post('/records/books', { title, pages, author: ada.id, account_id: acme.id });

  await t.test('asks for the account first, and offers records of that account only', async () => {
    await open('/collections/books/records/new');
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('button', { name: 'Create record' }).click();
    await drawer.getByText('Choose the account that owns the record.').waitFor();
    await drawer.getByRole('combobox', { name: 'Account' }).click();
    await page.getByRole('option', { name: /^Acme/ }).click();
    await drawer.getByRole('combobox', { name: 'author' }).click();
    await page.getByRole('option', { name: /^Ada/ }).first().waitFor();
    assert.equal(await page.getByRole('option', { name: /^Ada/ }).count(), 1);
    await page.getByRole('option', { name: /^Ada/ }).click();
    await drawer.getByLabel('title').fill('Three');
    await access();
    await drawer.getByRole('button', { name: 'Create record' }).click();
    await page.getByRole('gridcell', { name: 'Three' }).waitFor();
  });

  await t.test('adds up the column one is at', async () => {
    await page.getByRole('gridcell', { name: '250' }).click();
    await page.getByRole('group', { name: 'Figures of pages' }).getByText('Sum 350').waitFor();
  });

  await t.test('pastes cells of a spreadsheet from the current cell on', async () => {
    await page.getByRole('gridcell', { name: 'Three' }).click();
    await page.getByRole('grid').focus();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text/plain', 'Third\t300\nSecond\tmany');
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    const dialog = page.getByRole('dialog', { name: 'Paste 3 values into 2 records?' });
    await dialog.getByText('“many” is not a number.').waitFor();
    await access();
    await dialog.getByRole('button', { name: 'Paste' }).click();
    await page.getByRole('gridcell', { name: 'Third' }).waitFor();
    await page.getByRole('gridcell', { name: '300' }).waitFor();
    await page.getByRole('gridcell', { name: 'Second' }).waitFor();
  });

  await t.test('says who refers to a record, and what goes when it is deleted', async () => {
    await open(`/collections/authors/records/${ada.id}`);
    const referrers = page.getByRole('region', { name: 'Referred to by' });
    await referrers.getByRole('link', { name: '3 in books' }).waitFor();
    await access();
    await button('Delete record').click();
    await page.getByText('3 records of books are deleted with it.').waitFor();
    await button('Cancel').click();
    await referrers.getByRole('link', { name: 'Third' }).click();
    await page.getByRole('dialog').getByRole('link', { name: 'Open the record of authors' }).click();
    await page.waitForURL(new RegExp(`authors/records/${ada.id}`));
  });

  await t.test('takes an update back from the audit trail', async () => {
    await open('/audit?operation=UPDATE');
    await page.getByRole('row').filter({ hasText: 'updated Third in books' }).getByRole('button').click();
    await button('Restore earlier values').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await page.getByText('Restored the earlier values.').waitFor();
    const { items } = await api.get('/records/books?sort=created_at');
    assert.deepEqual(items.map(({ title, pages }) => [title, pages ?? null]).at(-1), ['Three', null]);
  });

  await t.test('draws the collections and warns of their rules', async () => {
    await open('/map');
    await page.getByRole('region', { name: 'books' }).getByText('author').waitFor();
    await access();
    await page.getByRole('link', { name: 'Access' }).click();
    await page.getByText('Anyone can create records without signing in.').waitFor();
    await access();
    await page.getByRole('link', { name: 'books' }).last().click();
    await page.getByRole('region', { name: 'Create rule' }).waitFor();
  });

  await t.test('says nothing on the console', () => assert.deepEqual(world.complaints, []));
});
