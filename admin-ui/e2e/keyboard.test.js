// From an empty server to a record that was changed and deleted, without touching the mouse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startSignedIn } from './support/signed-in.js';

let setting;
before(async () => {
  setting = await startSignedIn();
});
after(() => setting?.stop());

test('a whole job from the keyboard', async (t) => {
  const { page, complaints } = setting;
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const type = (text) => page.keyboard.type(text);
  /** Goes on with the tab key until something with this name has the focus. */
  const tabTo = async (name, backwards = false) => {
    const named = () =>
      page.evaluate(() => {
        const element = document.activeElement;
        return element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? '';
      });
    for (let step = 0; step < 60; step += 1) {
      await press(backwards ? 'Shift+Tab' : 'Tab');
      const found = await named();
      if (typeof name === 'string' ? found.trim() === name : name.test(found)) return;
    }
    assert.fail(`The tab key does not reach ${name}, but ended at ${await named()}`);
  };
  const palette = async (words) => {
    await press('Control+k');
    await page.getByRole('combobox', { name: 'Search pages, collections and actions' }).waitFor();
    await type(words);
    await press('Enter');
  };

  await t.test('creates a collection and puts its fields in order', async () => {
    await palette('create coll');
    await page.getByLabel('Name', { exact: true }).waitFor();
    await type('books');
    await tabTo('Name of field 1');
    await type('pages');
    await tabTo('Add field');
    await press('Enter');
    await tabTo('Name of field 2', true);
    await type('title');
    await tabTo(/^Move title/, true);
    await press('ArrowUp');
    assert.deepEqual(await page.getByRole('listitem').evaluateAll((items) => items.map((item) => item.getAttribute('aria-label'))), ['title', 'pages']);
    assert.match(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? ''), /^Move title, 1 of 2/);
    await tabTo('Create collection');
    await press('Enter');
    await page.getByText('No records yet').waitFor();
  });

  await t.test('creates records', async () => {
    for (const title of ['Emma', 'Ulysses']) {
      await palette('create record');
      await page.getByRole('dialog').getByLabel('title').waitFor();
      // The account comes first; with only one, it is chosen already.
      await page.waitForFunction(() => document.activeElement?.matches('[role="dialog"] :is([role="combobox"], textarea)'));
      if ((await page.evaluate(() => document.activeElement?.tagName)) !== 'TEXTAREA') await tabTo(/^title/);
      await type(title);
      await tabTo('Create record');
      await press('Enter');
      await page.getByRole('gridcell', { name: title }).waitFor();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
  });

  await t.test('changes a value in the grid, and takes it back', async () => {
    await tabTo('Records of books');
    await press('Home', 'ArrowRight', 'ArrowDown', 'Enter');
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.startsWith('title of'));
    await press('Control+a');
    await type('Emma, revised');
    await press('Enter');
    await page.getByRole('gridcell', { name: 'Emma, revised' }).waitFor();
    // Until it is stored, the key means the text in the cell.
    await page.getByRole('button', { name: /^Undo/ }).waitFor();
    await press('Control+z');
    await page.getByRole('gridcell', { name: 'Emma', exact: true }).waitFor();
  });

  await t.test('leaves a value as it was with Escape, and stays in the grid', async () => {
    await press('F2');
    await type(' never');
    await press('Escape');
    assert.equal(await page.getByText('never').count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'grid');
  });

  await t.test('selects and deletes', async () => {
    await press('Space', 'ArrowUp', 'Space', 'Delete');
    await page.getByRole('dialog').getByText('Delete 2 records of books?').waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === 'Delete 2 records');
    await press('Enter');
    await page.getByText('No records yet').waitFor();
  });

  await t.test('changes the appearance and comes back', async () => {
    await palette('dark app');
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await palette('overview');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
  assert.deepEqual(complaints, []);
});
