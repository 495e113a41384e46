import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { AuthorizationError, ConflictError, NotFoundError } from '@snackbase/sdk';

import { failure, startServer, unique } from './harness.js';

const TITLE = { name: 'title', type: 'text', required: true };

describe('collections', () => {
  let server;
  let admin;
  before(async () => {
    server = await startServer();
    admin = await server.superadmin();
  });

  test('create returns the fields as the SDK names them', async () => {
    const name = unique('posts');
    const created = await admin.collections.create({ name, fields: [TITLE, { name: 'views', type: 'number', default: 0 }] });
    assert.equal(created.name, name);
    assert.deepEqual(created.fields.map((field) => [field.name, field.type]), [['title', 'text'], ['views', 'number']]);
    assert.equal(created.fields[0].required, true);
  });

  test('list, listPaginated and listNames show a collection', async () => {
    const { id, name } = await server.collection([TITLE]);
    const found = (await admin.collections.listPaginated({ search: name, page_size: 100 })).items;
    assert.deepEqual(found.map((collection) => collection.id), [id]);
    assert.ok(Array.isArray(await admin.collections.list()));
    assert.ok((await admin.collections.listNames()).includes(name));
  });

  test('get finds it by id', async () => {
    const { id, name } = await server.collection([TITLE]);
    const collection = await admin.collections.get(id);
    assert.equal(collection.name, name);
    assert.deepEqual(collection.fields.map((field) => field.name), ['title']);
  });

  test('update adds a field, and what was read can be written back', async () => {
    const { id, name } = await server.collection([TITLE]);
    const { fields } = await admin.collections.get(id);
    const updated = await admin.collections.update(id, { fields: [...fields, { name: 'subtitle', type: 'text' }] });
    assert.deepEqual(updated.fields.map((field) => field.name), ['title', 'subtitle']);
    const record = await admin.records.create(name, { title: 'a', subtitle: 'b' });
    assert.equal(record.subtitle, 'b');
  });

  test('update takes rules without fields', async () => {
    const { id, name } = await server.collection([TITLE]);
    await admin.collections.update(id, { list_rule: '' });
    assert.equal((await admin.collectionRules.get(name)).list_rule, '');
  });

  test('update refuses to drop a field or to change its type', async () => {
    const { id } = await server.collection([TITLE, { name: 'views', type: 'number' }]);
    const dropped = await failure(admin.collections.update(id, { fields: [TITLE] }));
    assert.equal(dropped.status, 400);
    assert.match(dropped.message, /deletion/);
    const changed = await failure(admin.collections.update(id, { fields: [TITLE, { name: 'views', type: 'text' }] }));
    assert.equal(changed.status, 400);
    assert.match(changed.message, /type change/);
  });

  test('a taken name is a conflict', async () => {
    const { name } = await server.collection([TITLE]);
    const error = await failure(admin.collections.create({ name, fields: [TITLE] }));
    assert.ok(error instanceof ConflictError, error.name);
  });

  test('delete removes it with its records', async () => {
    const { id, name } = await server.collection([TITLE]);
    await admin.records.create(name, { title: 'gone soon' });
    assert.deepEqual(await admin.collections.delete(id), { success: true });
    assert.ok((await failure(admin.collections.get(id))) instanceof NotFoundError);
    assert.ok(!(await admin.collections.listNames()).includes(name));
  });

  test('export and import make a round trip', async () => {
    const rule = 'created_by = @request.auth.id';
    const { id, name } = await server.collection([TITLE], { list_rule: rule });
    const data = await admin.collections.export({ collection_ids: [id] });
    assert.deepEqual(data.collections.map((collection) => collection.name), [name]);
    const taken = await failure(admin.collections.import({ data, strategy: 'error' }));
    assert.ok(taken instanceof ConflictError, taken.name);
    await admin.collections.delete(id);
    const imported = await admin.collections.import({ data, strategy: 'error' });
    assert.equal(imported.imported_count, 1);
    assert.equal((await admin.collectionRules.get(name)).list_rule, rule);
  });

  test('only superadmins may', async () => {
    const user = await server.newUser();
    const error = await failure(user.collections.list());
    assert.ok(error instanceof AuthorizationError, error.name);
    assert.equal(error.code, 'AUTHORIZATION_ERROR');
  });
});

describe('collection rules', () => {
  let server;
  let admin;
  before(async () => {
    server = await startServer();
    admin = await server.superadmin();
  });

  test('a new collection is locked', async () => {
    const name = unique('locked');
    await admin.collections.create({ name, fields: [TITLE] });
    const rules = await admin.collectionRules.get(name);
    for (const key of ['list_rule', 'view_rule', 'create_rule', 'update_rule', 'delete_rule']) {
      assert.equal(rules[key], null, key);
    }
    const user = await server.newUser();
    const error = await failure(user.records.list(name));
    assert.ok(error instanceof AuthorizationError, error.name);
    assert.match(error.message, /locked/);
  });

  test('update changes only what it names', async () => {
    const { name } = await server.collection([TITLE]);
    const updated = await admin.collectionRules.update(name, { list_rule: '', delete_rule: null });
    assert.equal(updated.list_rule, '');
    assert.equal(updated.delete_rule, null);
    assert.equal(updated.view_rule, "@request.auth.id != ''");
  });

  test('update refuses a rule that makes no sense', async () => {
    const { name } = await server.collection([TITLE]);
    for (const rule of ['no_such_field = 1', 'title = ', '@request.auth.groups = 1']) {
      const error = await failure(admin.collectionRules.update(name, { list_rule: rule }));
      assert.equal(error.status, 400, rule);
    }
  });

  test('macros can be saved and work', async () => {
    const { name } = await server.collection([TITLE]);
    await admin.collectionRules.update(name, { list_rule: '@owns_record()' });
    const [ann, bob] = [await server.newUser(), await server.newUser()];
    await ann.records.create(name, { title: 'mine' });
    assert.equal((await ann.records.list(name)).total, 1);
    assert.equal((await bob.records.list(name)).total, 0);
  });

  test('validateRule tells good from bad', async () => {
    const good = await admin.collectionRules.validateRule('title = "x" && @request.auth.id != ""', 'list', ['title']);
    assert.equal(good.valid, true);
    const unknown = await admin.collectionRules.validateRule('nothing = 1', 'list', ['title']);
    assert.equal(unknown.valid, false);
    assert.ok(unknown.errors.length > 0);
    const broken = await admin.collectionRules.validateRule('title = (', 'list', ['title']);
    assert.equal(broken.valid, false);
  });

  test('testRule evaluates with the given context', async () => {
    const rule = 'owner = @request.auth.id';
    const context = (owner) => ({ auth: { id: 'u1' }, record: { owner } });
    assert.equal((await admin.collectionRules.testRule(rule, context('u1'))).result, true);
    assert.equal((await admin.collectionRules.testRule(rule, context('u2'))).result, false);
  });
});
