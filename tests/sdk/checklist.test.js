// What an application that was written for the SDK relies on, point by point.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import {
  AuthenticationError,
  ConflictError,
  EmailVerificationRequiredError,
  NotFoundError,
} from '@snackbase/sdk';

import { PASSWORD, countRequests, failure, startServer, unique } from './harness.js';

const TITLE = { name: 'title', type: 'text', required: true };
/** What the SDK would take for another error. */
const SNIFFED = { 401: /verify|email/, 403: /superadmin|restricted/ };

describe('checklist', () => {
  let server;
  let admin;
  before(async () => {
    server = await startServer({ SNACKBASE_REFRESH_GRACE_SECONDS: '0' });
    admin = await server.superadmin();
  });

  /** A second user of an account. */
  async function colleague(account) {
    const email = `${unique('u')}@example.com`;
    const user = await admin.users.create({ email, password: PASSWORD, account_id: account.id, role_id: 2 });
    await admin.users.verifyEmail(user.id);
    const client = server.client();
    await client.login({ account: account.slug, email, password: PASSWORD });
    return { user, client };
  }

  /** A logged-in client of a new account, with what the registration answered. */
  async function owner() {
    const registered = await server.register();
    const client = server.client();
    await client.login(registered.credentials);
    return { ...registered, client };
  }

  const titles = (page) => page.items.map((record) => record.title);

  test('1. register, verifyEmail by a superadmin, login, isAuthenticated; a superadmin is known at once', async () => {
    const strict = await startServer({ SNACKBASE_EMAIL_VERIFICATION: 'required' });
    const root = await strict.superadmin();
    assert.equal(root.isSuperadmin, true);
    const { user, credentials } = await strict.register();
    const client = strict.client();
    const early = await failure(client.login(credentials));
    assert.ok(early instanceof EmailVerificationRequiredError, early.name);
    await root.users.verifyEmail(user.id);
    await client.login(credentials);
    assert.equal(client.isAuthenticated, true);
    assert.equal(client.isSuperadmin, false);
  });

  test('2. four kinds of failed logins are answered with the same bytes', async () => {
    const { account, credentials } = await server.register();
    const { user } = await colleague(account);
    await admin.users.delete(user.id);
    const attempts = [
      { ...credentials, password: 'Wrong-Password-1' },
      { ...credentials, email: 'nobody@example.com' },
      { ...credentials, account: 'no-such-account' },
      { ...credentials, email: user.email },
    ];
    const bodies = new Set();
    for (const attempt of attempts) {
      const body = JSON.stringify(attempt);
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${server.url}/api/v1/auth/login`, { method: 'POST', headers, body });
      assert.equal(answer.status, 401);
      bodies.add(await answer.text());
      assert.ok(!((await failure(server.client().login(attempt))) instanceof EmailVerificationRequiredError));
    }
    assert.equal(bodies.size, 1, [...bodies].join('\n'));
  });

  test('3. a refresh token works once, and user and account stay', async () => {
    const { client } = await owner();
    const { user, account } = client;
    const used = client.internalAuthManager.refreshToken;
    await client.refreshToken();
    assert.deepEqual([client.user, client.account], [user, account]);
    await client.internalAuthManager.setState({ refreshToken: used });
    assert.ok((await failure(client.refreshToken())) instanceof AuthenticationError);
  });

  test('4. getCurrentUser keeps the slug of the account', async () => {
    const { client, account } = await owner();
    await client.getCurrentUser();
    assert.equal(client.account.slug, account.slug);
  });

  test('5. logout resolves, and the refresh token is dead', async () => {
    const { client } = await owner();
    const old = client.internalAuthManager.refreshToken;
    assert.deepEqual(await client.logout(), { success: true });
    await client.internalAuthManager.setState({ refreshToken: old });
    assert.ok((await failure(client.refreshToken())) instanceof AuthenticationError);
  });

  test('6. every 401 and 403 says so in text, in words that the SDK does not mistake', async () => {
    const { client, credentials } = await owner();
    const { name } = await server.collection([TITLE], { list_rule: null });
    const visitor = server.client({ accountId: credentials.account });
    const garbage = server.client({ getAccessToken: () => 'eyJhbGciOiJIUzI1NiJ9.e30.bad' });
    const refused = [
      () => visitor.getCurrentUser(),
      () => visitor.records.get(name, 'x'),
      () => visitor.records.list(name),
      () => visitor.collections.list(),
      () => garbage.getCurrentUser(),
      () => garbage.records.list(name),
      () => client.records.list(name),
      () => client.collections.list(),
      () => client.collectionRules.get(name),
      () => client.users.list(),
      () => client.accounts.list(),
      () => visitor.login({ ...credentials, password: 'Wrong-Password-1' }),
    ];
    for (const call of refused) {
      const error = await failure(call());
      assert.ok([401, 403].includes(error.status), `${call}: ${error.status}`);
      for (const text of [error.details.detail ?? '', error.details.message ?? '']) {
        assert.equal(typeof text, 'string', `${call}`);
        assert.doesNotMatch(text, SNIFFED[error.status], `${call}`);
      }
      const code = { 401: 'AUTHENTICATION_ERROR', 403: 'AUTHORIZATION_ERROR' }[error.status];
      assert.equal(error.code, code, `${call}`);
    }
  });

  test('7. a missing required field is a 400 with its code, after one request', async () => {
    const { client } = await owner();
    const { name } = await server.collection([TITLE]);
    let error;
    const requests = await countRequests(async () => {
      error = await failure(client.records.create(name, {}));
    });
    assert.deepEqual([error.status, error.details.details[0].code, requests], [400, 'required_missing', 1]);
  });

  test('8. records.update keeps what it does not name', async () => {
    const { client } = await owner();
    const { name } = await server.collection([TITLE, { name: 'content', type: 'text' }, { name: 'status', type: 'text' }]);
    const { id } = await client.records.create(name, { title: 'a', content: 'kept' });
    const updated = await client.records.update(name, id, { title: 'b', status: 'done' });
    assert.deepEqual([updated.title, updated.status, updated.content], ['b', 'done', 'kept']);
  });

  test('9. fields hides the others but not the system fields; unknown parameters and wide limits are refused', async () => {
    const { client } = await owner();
    const { name } = await server.collection([TITLE, { name: 'content', type: 'text' }]);
    await client.records.create(name, { title: 'a', content: 'b' });
    const [record] = (await client.records.list(name, { fields: ['id', 'title'] })).items;
    assert.equal(record.title, 'a');
    assert.ok(!('content' in record));
    for (const key of ['id', 'account_id', 'created_at', 'created_by', 'updated_at', 'updated_by']) {
      assert.equal(typeof record[key], 'string', key);
    }
    const list = (params) => client.httpClient.get(`/api/v1/records/${name}`, { params });
    assert.equal((await failure(list({ foo: 1 }))).status, 400);
    assert.equal((await failure(list({ limit: 101 }))).status, 422);
  });

  describe('10. the query builder', () => {
    let client;
    let name;
    before(async () => {
      ({ client } = await owner());
      ({ name } = await server.collection([TITLE, { name: 'n', type: 'number' }, { name: 'note', type: 'text' }]));
      const rows = [['a', -2, null], ['b', 1, "it's"], ['c', 1, null], ['d', 3, '"']];
      await client.records.batchCreate(name, rows.map(([title, n, note]) => ({ title, n, note })));
    });
    const cases = [
      ['several sort keys', (query) => query.sort('n', 'desc').sort('title'), ['d', 'b', 'c', 'a']],
      ['negative numbers', (query) => query.filter('n', '>', -3).filter('n', '<', 0), ['a']],
      ['IN', (query) => query.filter('title', 'IN', ['a', 'd', 'x']).sort('title'), ['a', 'd']],
      ['IS NULL', (query) => query.filter('note', 'IS NULL').sort('title'), ['a', 'c']],
      ['= null', (query) => query.filter('note', '=', null).sort('title'), ['a', 'c']],
      ['quotes', (query) => query.filter('note', '=', "it's"), ['b']],
      ['double quotes', (query) => query.filter('note', '=', '"'), ['d']],
      ['names of other tables', (query) => query.filter('created_at', '!=', null).filter('title', '=', 'a'), ['a']],
    ];
    for (const [what, build, expected] of cases) {
      test(what, async () => {
        assert.deepEqual(titles(await build(client.records.query(name)).get()), expected);
      });
    }
    test('first() of nothing is null', async () => {
      assert.equal(await client.records.query(name).filter('title', '=', 'nobody').first(), null);
    });
  });

  test('11. filters and rules on name, id and created_at work in lists', async () => {
    const { client } = await owner();
    const list_rule = "name != 'hidden' && id != '' && created_at <= '2999-01-01T00:00:00Z'";
    const { name } = await server.collection([{ name: 'name', type: 'text' }, { name: 'slug', type: 'text' }], { list_rule });
    const [shown] = (await client.records.batchCreate(name, [{ name: 'shown', slug: 's' }, { name: 'hidden' }])).created;
    const found = async (filter) => (await client.records.list(name, { filter })).items.map((record) => record.id);
    for (const filter of ['', "name = 'shown'", `id = '${shown.id}'`, `created_at = '${shown.created_at}'`, "slug = 's'"]) {
      assert.deepEqual(await found(filter), [shown.id], filter);
    }
  });

  test('12. a cursor walk sees each row once, in both directions, with nulls and equal values', async () => {
    const { client } = await owner();
    const { name } = await server.collection([TITLE, { name: 'n', type: 'number' }]);
    const values = [null, 2, 1, 2, null, 1, 2];
    await client.records.batchCreate(name, values.map((n, index) => ({ title: `t${index}`, n })));
    for (const sort of ['n', '-n', '-created_at', '-n,+title']) {
      const all = titles(await client.records.list(name, { sort }));
      const pages = [await client.records.list(name, { sort, limit: 2, cursor: '' })];
      while (pages.at(-1).has_more) {
        pages.push(await client.records.list(name, { sort, limit: 2, cursor: pages.at(-1).next_cursor }));
      }
      assert.deepEqual(pages.flatMap(titles), all, sort);
      assert.equal(pages.at(-1).next_cursor, null);
      assert.equal(pages[0].prev_cursor, null);
      const back = [pages.at(-1)];
      while (back[0].prev_cursor) {
        back.unshift(await client.records.list(name, { sort, limit: 2, cursor_before: back[0].prev_cursor }));
      }
      assert.deepEqual(back.flatMap(titles), all, `${sort}, backwards`);
    }
  });

  describe('13. rules', () => {
    let client;
    let visitor;
    before(async () => {
      const made = await owner();
      client = made.client;
      visitor = server.client({ accountId: made.credentials.account });
    });
    const locked = { list_rule: null, view_rule: null, create_rule: null, update_rule: null, delete_rule: null };
    const open = { list_rule: '', view_rule: '', create_rule: '', update_rule: '', delete_rule: '' };

    test('null is locked', async () => {
      const { name } = await server.collection([TITLE], locked);
      for (const call of [() => client.records.list(name), () => client.records.create(name, { title: 'x' })]) {
        const error = await failure(call());
        assert.equal(error.status, 403);
        assert.match(error.message, /locked/);
      }
    });

    test('the empty rule lets visitors of an account in', async () => {
      const { name } = await server.collection([TITLE], open);
      const record = await visitor.records.create(name, { title: 'x' });
      assert.equal(record.created_by, 'anonymous');
      assert.deepEqual(titles(await visitor.records.list(name)), ['x']);
      assert.match((await failure(server.client().records.list(name))).message, /X-Account-ID/);
    });

    test('an expression wants credentials', async () => {
      const { name } = await server.collection([TITLE], { list_rule: "title = 'x'" });
      assert.equal((await failure(visitor.records.list(name))).status, 401);
    });

    test('other accounts are never seen', async () => {
      const { name } = await server.collection([TITLE], open);
      const { id } = await client.records.create(name, { title: 'x' });
      const stranger = await server.newUser();
      assert.equal((await stranger.records.list(name)).total, 0);
      assert.ok((await failure(stranger.records.get(name, id))) instanceof NotFoundError);
    });

    test('what a rule hides cannot be found, what it forbids to create is refused', async () => {
      const { name } = await server.collection([TITLE], {
        update_rule: "title = 'mine'",
        delete_rule: "title = 'mine'",
        create_rule: "title != 'bad'",
      });
      const { id } = await client.records.create(name, { title: 'other' });
      assert.ok((await failure(client.records.patch(name, id, { title: 'mine' }))) instanceof NotFoundError);
      assert.ok((await failure(client.records.delete(name, id))) instanceof NotFoundError);
      const error = await failure(client.records.create(name, { title: 'bad' }));
      assert.equal(error.status, 400);
      assert.match(error.message, /satisfy collection rules/);
    });
  });

  test('14. @owns_record() can be saved, and holds for all five operations', async () => {
    const { client, account } = await owner();
    const { client: other } = await colleague(account);
    const { name } = await server.collection([TITLE]);
    const rule = '@owns_record()';
    const rules = { list_rule: rule, view_rule: rule, create_rule: rule, update_rule: rule, delete_rule: rule };
    await admin.collectionRules.update(name, rules);
    const { id } = await client.records.create(name, { title: 'x' });
    assert.equal((await other.records.list(name)).total, 0);
    for (const call of [
      () => other.records.get(name, id),
      () => other.records.patch(name, id, { title: 'y' }),
      () => other.records.delete(name, id),
    ]) {
      assert.ok((await failure(call())) instanceof NotFoundError);
    }
    assert.equal((await client.records.list(name)).total, 1);
    assert.equal((await client.records.patch(name, id, { title: 'y' })).title, 'y');
    assert.deepEqual(await client.records.delete(name, id), { success: true });
  });

  test("14. @has_group('x') works", async () => {
    const { client, account } = await owner();
    const { client: other } = await colleague(account);
    const { name } = await server.collection([TITLE], { create_rule: "@has_group('pii_access')" });
    assert.equal((await client.records.create(name, { title: 'x' })).title, 'x');
    assert.equal((await failure(other.records.create(name, { title: 'x' }))).status, 400);
  });

  test('14. a stored macro works', async () => {
    const { client } = await owner();
    const { name: limits } = await server.collection([{ name: 'most', type: 'number' }]);
    const macro = unique('most_');
    await admin.macros.create({ name: macro, sql_query: `SELECT max(most) FROM ${limits}`, parameters: [] });
    const { name } = await server.collection([TITLE, { name: 'n', type: 'number' }], { list_rule: `n <= @${macro}()` });
    await client.records.create(limits, { most: 1 });
    await client.records.batchCreate(name, [{ title: 'low', n: 1 }, { title: 'high', n: 2 }]);
    assert.deepEqual(titles(await client.records.list(name)), ['low']);
  });

  test('15. batches: a hundred at most, all or nothing, and DELETE has a body', async () => {
    const { client } = await owner();
    const { name } = await server.collection([TITLE]);
    const many = Array.from({ length: 101 }, (_, index) => ({ title: `t${index}` }));
    const large = await failure(client.records.batchCreate(name, many));
    assert.deepEqual([large.status, large.details.error], [400, 'batch_too_large']);
    const bad = await failure(client.records.batchCreate(name, [{ title: 'good' }, {}]));
    assert.deepEqual([bad.status, bad.details.error, bad.details.index], [400, 'validation_error', 1]);
    assert.equal((await client.records.list(name)).total, 0);
    const ids = (await client.records.batchCreate(name, many.slice(0, 2))).created.map((record) => record.id);
    assert.deepEqual(await client.records.batchDelete(name, ids), { deleted: ids, count: 2 });
  });

  test('16. aggregates, and what they refuse', async () => {
    const { client } = await owner();
    const { name } = await server.collection([{ name: 'kind', type: 'text' }, { name: 'price', type: 'number' }]);
    await client.records.batchCreate(name, [{ kind: 'a', price: 10 }, { kind: 'a', price: 20 }, { kind: 'b', price: 5 }]);
    const aggregate = (params) => client.records.aggregate(name, params);
    const all = await aggregate({ functions: 'count(),sum(price),avg(price),min(price),max(kind)' });
    const whole = { count: 3, sum_price: 35, avg_price: 35 / 3, min_price: 5, max_kind: 'b' };
    assert.equal(all.total_groups, 1);
    for (const [key, value] of Object.entries(whole)) assert.equal(all.results[0][key], value, key);
    const groups = { functions: 'count(),sum(price)', group_by: 'kind' };
    for (const having of ['count() > 1', 'count > 1', 'sum(price) >= 30', 'sum_price = 30 and count() != 1', '(count() > 5 || sum(price) = 30)']) {
      const { results, total_groups } = await aggregate({ ...groups, having });
      assert.deepEqual([results, total_groups], [[{ kind: 'a', count: 2, sum_price: 30 }], 1], having);
    }
    const few = await aggregate({ functions: 'count(),sum(price)', filter: "kind = 'nothing'" });
    assert.deepEqual(few.results, [{ count: 0, sum_price: null }]);
    for (const [params, label] of [
      [{ functions: 'count(*)' }, 'Invalid aggregation functions'],
      [{ functions: 'sum(kind)' }, 'Invalid aggregation functions'],
      [{ functions: 'count(),count()' }, 'Invalid aggregation functions'],
      [{ functions: 'count(nothing)' }, 'Invalid aggregation functions'],
      [{ functions: 'count()', group_by: 'nothing' }, 'Invalid group_by'],
      [{ functions: 'count()', filter: 'kind == 1' }, 'Invalid filter expression'],
      [{ functions: 'count()', group_by: 'kind', having: 'sum(price) > 1' }, 'Invalid having expression'],
    ]) {
      const error = await failure(aggregate(params));
      assert.deepEqual([error.status, error.details.error], [400, label], JSON.stringify(params));
    }
    assert.equal((await failure(client.httpClient.get(`/api/v1/records/${name}/aggregate`))).status, 422);
  });

  test('17. three levels are expanded; other accounts are null; what is no reference is refused', async () => {
    const { client } = await owner();
    const reference = (name, collection) => ({ name, type: 'reference', collection, on_delete: 'set_null' });
    const { name: countries } = await server.collection([{ name: 'name', type: 'text' }]);
    const { name: cities } = await server.collection([reference('country', countries)]);
    const { name: people } = await server.collection([reference('city', cities)]);
    const { name: books } = await server.collection([TITLE, reference('author', people)]);
    const country = await client.records.create(countries, { name: 'Chile' });
    const city = await client.records.create(cities, { country: country.id });
    const author = await client.records.create(people, { city: city.id });
    const { id } = await client.records.create(books, { title: 'x', author: author.id });
    const expand = ['author.city.country'];
    const book = await client.records.get(books, id, { expand });
    assert.equal(book.author.city.country.name, 'Chile');
    assert.equal(titles(await client.records.list(books, { expand }))[0], 'x');
    const shallow = await client.records.get(books, id, { expand: ['author'] });
    assert.equal(shallow.author.city, city.id);
    // A reference that its target's view rule hides is null.
    await admin.collectionRules.update(people, { view_rule: "created_by = 'nobody'" });
    assert.equal((await client.records.get(books, id, { expand })).author, null);
    const error = await failure(client.records.list(books, { expand: ['title'] }));
    assert.deepEqual([error.status, error.details.error], [400, 'Invalid expand field']);
    assert.match(error.message, /title.*not a reference field|not a reference field.*title/);
  });

  test('18. personal data: plain for the group, masked for others', async () => {
    const { client, account } = await owner();
    const { client: other } = await colleague(account);
    const vectors = {
      email: [['john@example.com', 'j***@example.com'], ['@a.b', '@a.b']],
      ssn: [['123-45-6789', '***-**-****'], ['12-3', '**-*']],
      phone: [
        ['+1 555 123 4567', '+1-***-***-4567'],
        ['+4420712345678', '+442-***-***-5678'],
        ['555-123-4567', '***-***-4567'],
      ],
      name: [['John Ronald Doe', 'J*** R*** D***']],
      full: [['secret', '******']],
      custom: [['42', '**']],
    };
    const kinds = Object.keys(vectors);
    const { name } = await server.collection(
      kinds.map((mask_type) => ({ name: `f_${mask_type}`, type: 'text', pii: true, mask_type })),
    );
    for (const kind of kinds) {
      for (const [plain, masked] of vectors[kind]) {
        const { id } = await client.records.create(name, { [`f_${kind}`]: plain });
        assert.equal((await client.records.get(name, id))[`f_${kind}`], plain);
        assert.equal((await other.records.get(name, id))[`f_${kind}`], masked);
        assert.equal((await other.records.get(name, id)).f_full ?? null, kind === 'full' ? masked : null);
        assert.equal((await admin.records.get(name, id))[`f_${kind}`], plain);
      }
    }
  });

  test('19. collections: fields and schema, no deletion, no change of type, and what delete answers', async () => {
    const names = [unique('c'), unique('c')];
    const created = await admin.collections.create({ name: names[0], fields: [TITLE, { name: 'n', type: 'number' }] });
    assert.deepEqual(created.fields.map((field) => field.name), ['title', 'n']);
    const post = (body) => admin.httpClient.post('/api/v1/collections', body);
    const { data } = await post({ name: names[1], schema: [TITLE] });
    assert.deepEqual(data.schema.map((field) => field.name), ['title']);
    const change = (fields) => failure(admin.collections.update(created.id, { fields }));
    assert.match((await change([TITLE])).message, /deletion/);
    assert.match((await change([TITLE, { name: 'n', type: 'text' }])).message, /type change/);
    await admin.records.create(names[0], { title: 'x' });
    const { data: deleted, status } = await admin.httpClient.delete(`/api/v1/collections/${created.id}`);
    assert.deepEqual([status ?? 200, deleted.records_deleted, deleted.collection_name], [200, 1, names[0]]);
  });

  test('20. an export brings back definitions, computed fields and rules', async () => {
    const fields = [TITLE, { name: 'loud', type: 'computed', expression: 'upper(title)', return_type: 'text' }];
    const { id, name } = await server.collection(fields, { list_rule: 'created_by = @request.auth.id' });
    const before = [(await admin.collections.get(id)).fields, await admin.collectionRules.get(name)];
    const data = await admin.collections.export({ collection_ids: [id] });
    assert.ok((await failure(admin.collections.import({ data, strategy: 'error' }))) instanceof ConflictError);
    await admin.collections.delete(id);
    assert.equal((await admin.collections.import({ data, strategy: 'error' })).success, true);
    const found = (await admin.collections.listPaginated({ search: name })).items[0];
    const after = [(await admin.collections.get(found.id)).fields, await admin.collectionRules.get(name)];
    assert.deepEqual(after[0], before[0]);
    for (const key of Object.keys(before[1]).filter((key) => /_(rule|fields)$/.test(key))) {
      assert.deepEqual(after[1][key], before[1][key], key);
    }
    assert.equal((await admin.records.create(name, { title: 'hey' })).loud, 'HEY');
  });

  test('21. API keys: as a header and as bearer, dead when revoked, no help for a bad bearer', async () => {
    const { id, key } = await admin.apiKeys.create({ name: 'For the checklist' });
    const me = (headers) => fetch(`${server.url}/api/v1/auth/me`, { headers });
    assert.equal((await me({ 'x-api-key': key })).status, 200);
    assert.equal((await me({ authorization: `Bearer ${key}` })).status, 200);
    assert.equal((await me({ 'x-api-key': key, authorization: 'Bearer bad' })).status, 401);
    assert.ok(Array.isArray(await server.client({ apiKey: key }).collections.listNames()));
    await admin.apiKeys.revoke(id);
    assert.equal((await me({ 'x-api-key': key })).status, 401);
  });

  test('22. account codes count up, slugs follow from names, passwords name what they lack', async () => {
    const codes = [];
    for (let index = 0; index < 2; index += 1) {
      codes.push((await admin.accounts.create({ name: unique('Account ') })).account_code);
    }
    const number = (code) => (code.charCodeAt(0) * 26 + code.charCodeAt(1)) * 10_000 + Number(code.slice(2));
    assert.match(codes[0], /^[A-Z]{2}\d{4}$/);
    assert.ok(number(codes[1]) > number(codes[0]), codes.join());
    const tail = unique();
    const made = await server.client().register({
      email: `${tail}@example.com`,
      password: PASSWORD,
      account_name: `  Ünïcode & Café, ${tail}! `,
    });
    assert.equal(made.account.slug, `unicode-cafe-${tail}`);
    const vectors = {
      short: ['password_too_short', 'password_no_uppercase', 'password_no_digit', 'password_no_special'],
      NoSpecial1234: ['password_no_special'],
      'Valid Pass 123': ['password_no_special'],
    };
    for (const [password, expected] of Object.entries(vectors)) {
      const request = { email: 'x@example.com', password, account_name: unique('Account ') };
      const error = await failure(server.client().register(request));
      assert.deepEqual(error.details.details.map((detail) => detail.code), expected, password);
    }
  });

  test('23. a 429 can be read by pages, and says when to come back', async () => {
    const limited = await startServer({
      SNACKBASE_RATE_LIMIT_ENABLED: 'true',
      SNACKBASE_RATE_LIMIT_PER_MINUTE: '1',
      SNACKBASE_RATE_LIMIT_BURST: '1',
      SNACKBASE_CORS_ORIGINS: 'https://app.example.com',
    });
    let answer;
    for (let index = 0; index < 4; index += 1) {
      answer = await fetch(`${limited.url}/api/v1/setup`, { headers: { origin: 'https://app.example.com' } });
    }
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example.com');
    assert.match(answer.headers.get('access-control-expose-headers'), /retry-after/i);
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    const body = await answer.json();
    assert.equal(body.error, 'Too Many Requests');
    assert.equal(typeof body.detail, 'string');
  });
});
