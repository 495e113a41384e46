// What a collection offers to programs, and the same tried from the page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessProblems } from './support/axe.js';
import { startSignedIn } from './support/signed-in.js';
import { stepper } from './support/steps.js';

let world;
let page;

before(async () => {
  world = await startSignedIn();
  page = world.page;
  await world.api.post('/collections', { name: 'authors', fields: [{ name: 'name', type: 'text', required: true }] });
  await world.api.post('/collections', {
    name: 'posts',
    fields: [
      { name: 'title', type: 'text', required: true, searchable: true },
      { name: 'views', type: 'number', default: 0 },
      { name: 'author', type: 'reference', collection: 'authors', on_delete: 'set_null' },
    ],
  });
  await world.api.put('/collections/posts/rules', { list_rule: "@has_role('editor')", view_rule: '' });
  await world.api.post('/records/posts', { title: 'Sour bread' });
});

after(() => world?.stop());

const { step, picture } = stepper(() => page);
const operation = (name) => page.getByRole('navigation', { name: 'Operations' }).getByRole('link', { name, exact: true }).click();
const region = (name) => page.getByRole('region', { name, exact: true });
const send = async (method, status) => {
  await page.getByRole('button', { name: `Send ${method}` }).click();
  await region('Response').getByText(String(status), { exact: true }).waitFor();
};
const access = async () => assert.deepEqual(await accessProblems(page), []);

test('the API page', async (t) => {
  await step(t, 'says who may list, with which parameters', async () => {
    await page.goto(`${world.server.origin}/admin/collections/posts/records`);
    await page.getByRole('navigation', { name: 'Collection posts' }).getByRole('link', { name: 'API' }).click();
    await region('Access').getByText('users with the role editor').waitFor();
    await region('Parameters').getByText('include_count').waitFor();
    await region('Responses').getByText('The caller may not do this').waitFor();
    await region('Example answer').getByText('"next_cursor"').waitFor();
    await access();
    await picture('api-list');
  });

  await step(t, 'tries a list as it is written beside', async () => {
    const form = region('Try it');
    await form.getByLabel('filter').fill("title ~ '%bread%'");
    await region('Code').getByText("--data-urlencode 'filter=title").waitFor();
    await region('Code').getByRole('tab', { name: 'TypeScript' }).click();
    await region('Code').getByText('client.records.list<PostsRecord>').waitFor();
    await send('GET', 200);
    await region('Response').getByText('"Sour bread"').waitFor();
    await form.getByLabel('filter').fill('nope >');
    await send('GET', 400);
    await region('Response').getByText('Invalid filter expression').waitFor();
  });

  await step(t, 'searches, creates, changes and deletes', async () => {
    await operation('Search');
    await send('GET', 200);
    await operation('Create');
    await region('Fields of the body').getByText('title', { exact: true }).waitFor();
    await send('POST', 201);
    await operation('Update');
    await send('PATCH', 200);
    await operation('Create many');
    await send('POST', 201);
    await operation('Aggregate');
    await send('GET', 200);
    await operation('Get one');
    await region('Access').getByText(/^Everyone can open a record/).waitFor();
    await send('GET', 200);
    await operation('Delete');
    await send('DELETE', 204);
    await region('Response').getByText('The response has no body.').waitFor();
    await access();
  });

  await step(t, 'shows events and types of the collection', async () => {
    await operation('Realtime');
    await region('Example event').getByText('"posts.update"').waitFor();
    await access();
    await picture('api-realtime');
    await operation('Types');
    await page.getByText('export interface PostsRecord').waitFor();
    await access();
  });

  await step(t, 'is found from the palette', async () => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search pages, collections and actions' }).fill('authors api');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/collections\/authors\/api/);
    await page.getByText('The collection has no record yet').waitFor({ state: 'detached' });
    await operation('Delete');
    await page.getByText('The collection has no record yet').waitFor();
  });

  assert.deepEqual(world.complaints, []);
});
