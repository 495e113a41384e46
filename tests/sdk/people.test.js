import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { AuthenticationError, AuthorizationError, ConflictError, NotFoundError } from '@snackbase/sdk';

import { PASSWORD, failure, startServer, unique } from './harness.js';

describe('accounts, users, roles, groups and invitations', () => {
  let server;
  let admin;
  before(async () => {
    server = await startServer();
    admin = await server.superadmin();
  });

  /** A second user of an account, made by the superadmin. */
  async function colleague(account) {
    const email = `${unique('u')}@example.com`;
    const user = await admin.users.create({ email, password: PASSWORD, account_id: account.id, role_id: 2 });
    await admin.users.verifyEmail(user.id);
    const client = server.client();
    await client.login({ account: account.slug, email, password: PASSWORD });
    return { user, email, client };
  }

  test('accounts', async () => {
    const slug = unique('acc-');
    const created = await admin.accounts.create({ name: 'First name', slug });
    assert.equal(created.slug, slug);
    assert.match(created.account_code, /^[A-Z]{2}\d{4}$/);
    assert.equal((await admin.accounts.update(created.id, { name: 'Second name' })).name, 'Second name');
    assert.equal((await admin.accounts.get(created.id)).name, 'Second name');
    const { items } = await admin.accounts.list({ search: slug });
    assert.deepEqual(items.map((account) => account.id), [created.id]);
    assert.deepEqual((await admin.accounts.getUsers(created.id)).items, []);
    assert.deepEqual(await admin.accounts.delete(created.id), { success: true });
    assert.ok((await failure(admin.accounts.get(created.id))) instanceof NotFoundError);
  });

  test('users', async () => {
    const { account } = await server.register();
    const { user, email } = await colleague(account);
    assert.equal(user.account_id, account.id);
    assert.equal(user.role_name, 'user');
    assert.equal((await admin.users.get(user.id)).email, email);
    const listed = await admin.users.list({ account_id: account.id, search: email });
    assert.deepEqual(listed.items.map((item) => item.id), [user.id]);
    assert.equal((await admin.users.update(user.id, { role_id: 1 })).role_name, 'admin');
    const twice = admin.users.create({ email, password: PASSWORD, account_id: account.id, role_id: 2 });
    assert.ok((await failure(twice)) instanceof ConflictError);
  });

  test('a new password replaces the old one', async () => {
    const { account } = await server.register();
    const { user, email } = await colleague(account);
    const login = (password) => server.client().login({ account: account.slug, email, password });
    await admin.users.setPassword(user.id, 'Another-Horse-8');
    assert.ok((await failure(login(PASSWORD))) instanceof AuthenticationError);
    assert.equal((await login('Another-Horse-8')).user.id, user.id);
  });

  test('a deactivated user is out at once', async () => {
    const { account } = await server.register();
    const { user, client } = await colleague(account);
    assert.equal((await client.getCurrentUser()).user.id, user.id);
    assert.deepEqual(await admin.users.delete(user.id), { success: true });
    assert.ok((await failure(client.getCurrentUser())) instanceof AuthenticationError);
    assert.ok((await failure(client.refreshToken())) instanceof AuthenticationError);
    assert.equal((await admin.users.get(user.id)).is_active, false);
  });

  test('a role decides, and its change counts at once', async () => {
    const { account } = await server.register();
    const { user, client } = await colleague(account);
    const { name } = await server.collection([{ name: 'title', type: 'text' }], { create_rule: "@has_role('admin')" });
    assert.equal((await failure(client.records.create(name, { title: 'x' }))).status, 400);
    await admin.users.update(user.id, { role_id: 1 });
    assert.equal((await client.records.create(name, { title: 'x' })).title, 'x');
  });

  test('roles', async () => {
    const name = unique('role');
    const role = await admin.roles.create({ name, description: 'Writes' });
    assert.equal((await admin.roles.get(role.id)).name, name);
    assert.equal((await admin.roles.update(role.id, { name, description: 'Reads' })).description, 'Reads');
    assert.ok((await admin.roles.list()).items.some((item) => item.id === role.id));
    assert.ok((await failure(admin.roles.create({ name }))) instanceof ConflictError);
    assert.deepEqual(await admin.roles.delete(role.id), { success: true });
    assert.ok((await failure(admin.roles.get(role.id))) instanceof NotFoundError);
    const user = await server.newUser();
    assert.ok((await failure(user.roles.list())) instanceof AuthorizationError);
  });

  test('groups and their members', async () => {
    const { account, credentials } = await server.register();
    const owner = server.client();
    await owner.login(credentials);
    const { user } = await colleague(account);
    const name = unique('g');
    const group = await owner.groups.create({ name, description: 'Some people' });
    assert.deepEqual(await owner.groups.addMember(group.id, user.id), { success: true });
    const detail = await owner.groups.get(group.id);
    assert.deepEqual(detail.users.map((member) => member.id), [user.id]);
    assert.ok((await failure(owner.groups.addMember(group.id, user.id))) instanceof ConflictError);
    assert.deepEqual(await owner.groups.removeMember(group.id, user.id), { success: true });
    assert.equal((await owner.groups.update(group.id, { description: 'Nobody' })).description, 'Nobody');
    const names = (await owner.groups.list()).items.map((item) => item.name).sort();
    assert.deepEqual(names, [name, 'pii_access'].sort());
    const stranger = await server.newUser();
    assert.ok((await failure(stranger.groups.get(group.id))) instanceof NotFoundError);
    assert.deepEqual(await owner.groups.delete(group.id), { success: true });
  });

  test('an invitation leads to a session', async () => {
    const { account, credentials } = await server.register();
    const owner = server.client();
    await owner.login(credentials);
    const email = `${unique('guest')}@example.com`;
    const invitation = await owner.invitations.create({ email });
    assert.equal(invitation.status, 'pending');
    assert.ok((await failure(owner.invitations.create({ email }))) instanceof ConflictError);
    const details = await server.client().invitations.getPublic(invitation.token);
    assert.deepEqual([details.email, details.is_valid, details.account_name], [email, true, account.name]);
    const session = await server.client().invitations.accept(invitation.token, PASSWORD);
    assert.equal(session.user.email, email);
    assert.equal(session.account.id, account.id);
    const { invitations } = await owner.invitations.list();
    assert.deepEqual(invitations.map((item) => item.status), ['accepted']);
    assert.ok((await failure(server.client().invitations.accept(invitation.token, PASSWORD))) instanceof NotFoundError);
  });

  test('a cancelled invitation is gone', async () => {
    const owner = await server.newUser();
    const invitation = await owner.invitations.create({ email: `${unique('guest')}@example.com` });
    assert.deepEqual(await owner.invitations.cancel(invitation.id), { success: true });
    assert.ok((await failure(server.client().invitations.getPublic(invitation.token))) instanceof NotFoundError);
  });

  test('personal data is masked for those outside the group', async () => {
    const { account, credentials } = await server.register();
    const owner = server.client();
    await owner.login(credentials);
    const { client } = await colleague(account);
    const { name } = await server.collection([{ name: 'contact', type: 'email', pii: true, mask_type: 'email' }]);
    const { id } = await owner.records.create(name, { contact: 'john@example.com' });
    assert.equal((await owner.records.get(name, id)).contact, 'john@example.com');
    assert.equal((await client.records.get(name, id)).contact, 'j***@example.com');
  });

  test('macros', async () => {
    const name = unique('macro_');
    const macro = await admin.macros.create({ name, sql_query: 'SELECT 1', parameters: [] });
    assert.equal((await admin.macros.get(macro.id)).name, name);
    assert.ok((await admin.macros.list()).items.some((item) => item.id === macro.id));
    assert.equal(String((await admin.macros.test(macro.id, [])).result), '1');
    assert.deepEqual(await admin.macros.delete(macro.id), { success: true });
  });
});
