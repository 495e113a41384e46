import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { ConflictError, NotFoundError } from '@snackbase/sdk';

import { countRequests, failure, startServer } from './harness.js';

const FIELDS = [
  { name: 'title', type: 'text', required: true },
  { name: 'content', type: 'text' },
  { name: 'status', type: 'text', default: 'draft' },
  { name: 'views', type: 'number' },
  { name: 'published', type: 'boolean' },
  { name: 'meta', type: 'json' },
];

describe('records', () => {
  let server;
  let client;
  let posts;
  before(async () => {
    server = await startServer();
    client = await server.newUser();
    ({ name: posts } = await server.collection(FIELDS));
  });

  test('create returns the whole record', async () => {
    const record = await client.records.create(posts, { title: 'Hello', views: 3, meta: { a: [1, null] } });
    assert.match(record.id, /^[0-9a-f-]{36}$/);
    assert.equal(record.account_id, client.account.id);
    assert.equal(record.created_by, client.user.id);
    assert.equal(record.updated_by, client.user.id);
    assert.match(record.created_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(record.status, 'draft');
    assert.equal(record.views, 3);
    assert.equal(record.published, null);
    assert.equal(record.content, null);
    assert.deepEqual(record.meta, { a: [1, null] });
  });

  test('get returns what was created', async () => {
    const created = await client.records.create(posts, { title: 'Same' });
    const { account_name: _, ...read } = await client.records.get(posts, created.id);
    const { account_name: __, ...written } = created;
    assert.deepEqual(read, written);
  });

  test('PUT keeps the fields that it does not name', async () => {
    const { id } = await client.records.create(posts, { title: 'Old', content: 'kept', views: 1 });
    const updated = await client.records.update(posts, id, { title: 'New', status: 'published' });
    assert.equal(updated.title, 'New');
    assert.equal(updated.status, 'published');
    assert.equal(updated.content, 'kept');
    assert.equal(updated.views, 1);
  });

  test('PUT needs the required fields, PATCH does not', async () => {
    const { id } = await client.records.create(posts, { title: 'Old' });
    assert.equal((await failure(client.records.update(posts, id, { content: 'x' }))).status, 400);
    const patched = await client.records.patch(posts, id, { content: 'x' });
    assert.equal(patched.title, 'Old');
    assert.equal(patched.content, 'x');
  });

  test('delete removes', async () => {
    const { id } = await client.records.create(posts, { title: 'Short-lived' });
    assert.deepEqual(await client.records.delete(posts, id), { success: true });
    assert.ok((await failure(client.records.get(posts, id))) instanceof NotFoundError);
    assert.ok((await failure(client.records.delete(posts, id))) instanceof NotFoundError);
  });

  test('batches create, update and delete', async () => {
    const { created, count } = await client.records.batchCreate(posts, [{ title: 'b1' }, { title: 'b2' }, { title: 'b3' }]);
    assert.equal(count, 3);
    assert.deepEqual(created.map((record) => record.title), ['b1', 'b2', 'b3']);
    const ids = created.map((record) => record.id);
    const { updated } = await client.records.batchUpdate(posts, ids.map((id, index) => ({ id, data: { views: index } })));
    assert.deepEqual(updated.map((record) => [record.title, record.views]), [['b1', 0], ['b2', 1], ['b3', 2]]);
    const { deleted } = await client.records.batchDelete(posts, ids.slice(0, 2));
    assert.deepEqual(deleted, ids.slice(0, 2));
    assert.equal((await client.records.get(posts, ids[2])).title, 'b3');
  });

  test('a batch is all or nothing', async () => {
    const before = (await client.records.list(posts)).total;
    const error = await failure(client.records.batchCreate(posts, [{ title: 'good' }, { content: 'bad' }]));
    assert.equal(error.status, 400);
    assert.equal(error.details.index, 1);
    assert.equal((await client.records.list(posts)).total, before);
  });

  test('a batch takes a hundred', async () => {
    const many = Array.from({ length: 101 }, (_, index) => ({ title: `n${index}` }));
    const error = await failure(client.records.batchCreate(posts, many));
    assert.equal(error.status, 400);
    assert.equal(error.details.error, 'batch_too_large');
    const { count } = await client.records.batchCreate(posts, many.slice(1));
    assert.equal(count, 100);
  });

  test('a missing required field is reported once, after one request', async () => {
    let error;
    const requests = await countRequests(async () => {
      error = await failure(client.records.create(posts, { content: 'no title' }));
    });
    assert.equal(requests, 1);
    assert.equal(error.status, 400);
    assert.equal(error.details.details[0].code, 'required_missing');
    assert.equal(error.details.details[0].field, 'title');
    assert.notEqual(error.message, 'An unexpected error occurred');
  });

  test('values of the wrong type and unknown fields are refused together', async () => {
    const error = await failure(client.records.create(posts, { title: 1, views: '3', nope: true }));
    assert.equal(error.status, 400);
    const found = error.details.details.map((detail) => [detail.field, detail.code]);
    assert.deepEqual(found, [['nope', 'unknown_field'], ['title', 'invalid_type'], ['views', 'invalid_type']]);
  });

  test('system fields cannot be written', async () => {
    const error = await failure(client.records.create(posts, { title: 'x', created_by: 'me' }));
    assert.equal(error.status, 422);
    assert.deepEqual(error.details.detail.unauthorized_fields, ['created_by']);
    assert.notEqual(error.message, 'An unexpected error occurred');
  });

  test('a unique value that exists is a conflict, per account', async () => {
    const { name } = await server.collection([{ name: 'code', type: 'text', unique: true }]);
    const { id } = await client.records.create(name, { code: 'A' });
    const second = await client.records.create(name, { code: 'B' });
    for (const attempt of [() => client.records.create(name, { code: 'A' }), () => client.records.patch(name, second.id, { code: 'A' })]) {
      const error = await failure(attempt());
      assert.ok(error instanceof ConflictError, error.name);
      assert.equal(error.details.field, 'code');
    }
    assert.equal((await client.records.patch(name, id, { code: 'A' })).code, 'A');
    const other = await server.newUser();
    assert.equal((await other.records.create(name, { code: 'A' })).code, 'A');
  });

  test('references are checked', async () => {
    const { name: authors } = await server.collection([{ name: 'name', type: 'text' }]);
    const { name: books } = await server.collection([
      { name: 'author', type: 'reference', collection: authors, on_delete: 'cascade' },
    ]);
    const author = await client.records.create(authors, { name: 'Ann' });
    const book = await client.records.create(books, { author: author.id });
    assert.equal(book.author, author.id);
    const stranger = await (await server.newUser()).records.create(authors, { name: 'Bob' });
    const error = await failure(client.records.create(books, { author: stranger.id }));
    assert.equal(error.details.details[0].code, 'invalid_reference');
    await client.records.delete(authors, author.id);
    assert.ok((await failure(client.records.get(books, book.id))) instanceof NotFoundError);
  });

  test('references are expanded', async () => {
    const { name: authors } = await server.collection([{ name: 'name', type: 'text' }]);
    const { name: books } = await server.collection([
      { name: 'author', type: 'reference', collection: authors, on_delete: 'cascade' },
    ]);
    const author = await client.records.create(authors, { name: 'Ann' });
    const book = await client.records.create(books, { author: author.id });
    assert.equal((await client.records.get(books, book.id, { expand: ['author'] })).author.name, 'Ann');
    assert.equal((await client.records.query(books).expand('author').first()).author.id, author.id);
  });

  test('one account does not see the records of another', async () => {
    const { id } = await client.records.create(posts, { title: 'private' });
    const stranger = await server.newUser();
    assert.equal((await stranger.records.list(posts)).total, 0);
    for (const attempt of ['get', 'delete']) {
      assert.ok((await failure(stranger.records[attempt](posts, id))) instanceof NotFoundError, attempt);
    }
    assert.ok((await failure(stranger.records.patch(posts, id, { title: 'stolen' }))) instanceof NotFoundError);
  });

  test('anonymous reading needs a public rule and the account', async () => {
    const { name } = await server.collection([{ name: 'title', type: 'text' }], { list_rule: '' });
    await client.records.create(name, { title: 'for all' });
    const reader = server.client({ accountId: client.account.slug });
    assert.deepEqual((await reader.records.list(name)).items.map((record) => record.title), ['for all']);
    assert.equal((await failure(server.client().records.list(name))).status, 400);
  });

  test('aggregate', async () => {
    const { name } = await server.collection([{ name: 'kind', type: 'text' }, { name: 'price', type: 'number' }]);
    await client.records.batchCreate(name, [{ kind: 'a', price: 1 }, { kind: 'a', price: 2 }, { kind: 'b', price: 4 }]);
    const { results } = await client.records.aggregate(name, { functions: 'count(),sum(price)', group_by: 'kind' });
    results.sort((left, right) => left.kind.localeCompare(right.kind));
    assert.deepEqual(results, [{ kind: 'a', count: 2, sum_price: 3 }, { kind: 'b', count: 1, sum_price: 4 }]);
  });
});
