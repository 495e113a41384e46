import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { ValidationError } from '@snackbase/sdk';

import { failure, startServer } from './harness.js';

const ROWS = [
  { name: 'ann', rank: 2, score: -5, note: null, flag: true },
  { name: 'bob', rank: 1, score: 0, note: "it's", flag: false },
  { name: 'cid', rank: 2, score: 7.5, note: 'say "hi"', flag: null },
  { name: 'dan', rank: 1, score: -1, note: null, flag: true },
  { name: 'eve', rank: 3, score: 12, note: 'back\\slash', flag: false },
];

describe('queries', () => {
  let client;
  let rows;
  const names = (page) => page.items.map((record) => record.name);
  before(async () => {
    const server = await startServer();
    client = await server.newUser();
    const collection = await server.collection([
      { name: 'name', type: 'text', required: true },
      { name: 'rank', type: 'number' },
      { name: 'score', type: 'number' },
      { name: 'note', type: 'text' },
      { name: 'flag', type: 'boolean' },
    ]);
    rows = collection.name;
    await client.records.batchCreate(rows, ROWS);
  });

  const query = () => client.records.query(rows);

  test('several sort keys, ascending and descending', async () => {
    assert.deepEqual(names(await query().sort('rank').sort('name', 'desc').get()), ['dan', 'bob', 'cid', 'ann', 'eve']);
    assert.deepEqual(names(await query().sort('rank', 'desc').sort('name').get()), ['eve', 'ann', 'cid', 'bob', 'dan']);
    assert.deepEqual(names(await client.records.list(rows, { sort: 'name' })), ['ann', 'bob', 'cid', 'dan', 'eve']);
    assert.deepEqual(names(await client.records.list(rows, { sort: '-name' })), ['eve', 'dan', 'cid', 'bob', 'ann']);
  });

  test('negative numbers', async () => {
    assert.deepEqual(names(await query().filter('score', '<', -1).get()), ['ann']);
    assert.deepEqual(names(await query().filter('score', '>=', -1).sort('name').get()), ['bob', 'cid', 'dan', 'eve']);
    assert.deepEqual(names(await query().filter('score', 'IN', [-5, -1]).sort('name').get()), ['ann', 'dan']);
  });

  test('IN', async () => {
    assert.deepEqual(names(await query().filter('name', 'IN', ['bob', 'eve', 'x']).sort('name').get()), ['bob', 'eve']);
    assert.deepEqual(names(await query().filter('rank', 'IN', 3).get()), ['eve']);
  });

  test('null, in each way of asking', async () => {
    assert.deepEqual(names(await query().filter('note', 'IS NULL').sort('name').get()), ['ann', 'dan']);
    assert.deepEqual(names(await query().filter('note', '=', null).sort('name').get()), ['ann', 'dan']);
    assert.deepEqual(names(await query().filter('note', 'IS NOT NULL').sort('name').get()), ['bob', 'cid', 'eve']);
    assert.deepEqual(names(await query().filter('note', '!=', null).sort('name').get()), ['bob', 'cid', 'eve']);
  });

  test('quotes and backslashes', async () => {
    assert.deepEqual(names(await query().filter('note', '=', "it's").get()), ['bob']);
    assert.deepEqual(names(await query().filter('note', '=', 'say "hi"').get()), ['cid']);
    assert.deepEqual(names(await query().filter('note', '=', 'back\\slash').get()), ['eve']);
    assert.deepEqual(names(await query().filterRaw('name = "bob"').get()), ['bob']);
    assert.deepEqual(names(await query().filter('note', '=', "' || 1 = 1 || name = '").get()), []);
  });

  test('booleans, LIKE and combinations', async () => {
    assert.deepEqual(names(await query().filter('flag', '=', true).sort('name').get()), ['ann', 'dan']);
    assert.deepEqual(names(await query().filter('name', '~', '%A%').sort('name').get()), ['ann', 'dan']);
    const both = query().filter('rank', '=', 1).filter("name = 'dan' || name = 'eve'");
    assert.deepEqual(names(await both.get()), ['dan']);
  });

  test('system fields', async () => {
    const first = await query().sort('name').first();
    assert.equal(first.name, 'ann');
    assert.deepEqual(names(await query().filter('id', '=', first.id).get()), ['ann']);
    assert.equal((await query().filter('created_at', '<=', first.created_at).get()).total >= 1, true);
    assert.equal((await query().filter('created_by', '=', client.user.id).get()).total, ROWS.length);
  });

  test('first of nothing is null', async () => {
    assert.equal(await query().filter('name', '=', 'nobody').first(), null);
  });

  test('pages by number, and by offset', async () => {
    const page = await query().sort('name').page(2, 2).get();
    assert.deepEqual(names(page), ['cid', 'dan']);
    assert.deepEqual([page.total, page.skip, page.limit], [5, 2, 2]);
    assert.deepEqual(names(await query().sort('name').skip(4).limit(2).get()), ['eve']);
    const beyond = await client.records.list(rows, { skip: 50 });
    assert.deepEqual([beyond.items, beyond.total], [[], 5]);
  });

  for (const sort of ['name', '-name', 'note', '-rank']) {
    test(`a cursor walk over ${sort} sees every record once, forth and back`, async () => {
      const seen = [];
      let page = await client.records.list(rows, { sort, limit: 2, cursor: '' });
      assert.equal(page.prev_cursor, null);
      const last = [];
      for (;;) {
        seen.push(...names(page));
        last.push(page);
        if (!page.has_more) break;
        page = await client.records.list(rows, { sort, limit: 2, cursor: page.next_cursor });
      }
      assert.equal(page.next_cursor, null);
      assert.deepEqual([...seen].sort(), ['ann', 'bob', 'cid', 'dan', 'eve']);
      assert.deepEqual(seen, names(await client.records.list(rows, { sort })));
      const back = await client.records.list(rows, { sort, limit: 2, cursor_before: page.prev_cursor });
      assert.deepEqual(names(back), names(last.at(-2)));
    });
  }

  test('a cursor page counts when asked to', async () => {
    assert.equal((await client.records.list(rows, { cursor: '', limit: 2 })).total, null);
    assert.equal((await client.records.list(rows, { cursor: '', limit: 2, include_count: true })).total, 5);
  });

  test('select returns these fields and the system fields', async () => {
    const [record] = (await query().select(['id', 'name']).limit(1).get()).items;
    assert.ok('name' in record && 'id' in record && 'created_at' in record && 'account_id' in record);
    assert.ok(!('score' in record) && !('note' in record));
    const single = await client.records.get(rows, record.id, { fields: ['rank'] });
    assert.ok('rank' in single && !('name' in single));
  });

  test('what is not understood is refused', async () => {
    const list = (params) => client.httpClient.get(`/api/v1/records/${rows}`, { params });
    const foreign = await failure(list({ foo: 1 }));
    assert.equal(foreign.status, 400);
    assert.equal(foreign.details.error, 'Unsupported query parameter');
    assert.match(foreign.details.message, /filter/);
    assert.ok((await failure(list({ limit: 101 }))) instanceof ValidationError);
    assert.ok((await failure(list({ skip: -1 }))) instanceof ValidationError);
    for (const filter of ['name = ', 'nope = 1', "flag > true", 'name == 1', '(name = "a"', "@request.auth.id = 'x'"]) {
      const error = await failure(client.records.list(rows, { filter }));
      assert.equal(error.status, 400, filter);
      assert.equal(error.details.error, 'Invalid filter expression', filter);
    }
    assert.equal((await failure(client.records.list(rows, { sort: 'nope' }))).status, 400);
    assert.equal((await failure(client.records.list(rows, { expand: 'name' }))).status, 400);
    assert.equal((await failure(client.records.list(rows, { cursor: 'not-a-cursor' }))).details.error, 'Invalid cursor');
  });
});
