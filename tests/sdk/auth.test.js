import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { AuthenticationError, ConflictError, EmailVerificationRequiredError } from '@snackbase/sdk';

import { PASSWORD, countRequests, failure, startServer } from './harness.js';

describe('auth', () => {
  let server;
  before(async () => {
    // Without the grace window a refresh token is dead the moment it was used.
    server = await startServer({ SNACKBASE_REFRESH_GRACE_SECONDS: '0' });
  });

  test('register answers with the account and the user, and does not log in', async () => {
    const { account, user, credentials } = await server.register();
    assert.equal(account.slug, credentials.account);
    assert.match(account.id, /^[0-9a-f-]{36}$/);
    assert.equal(user.email, credentials.email);
    assert.equal(user.role, 'admin');
    assert.equal(user.is_active, true);
  });

  test('a taken slug is a conflict', async () => {
    const { credentials } = await server.register();
    const again = server.client().register({
      email: 'someone@example.com',
      password: PASSWORD,
      account_name: 'Again',
      account_slug: credentials.account,
    });
    const error = await failure(again);
    assert.ok(error instanceof ConflictError, error.name);
    assert.equal(error.details.field, 'account_slug');
  });

  test('a weak password is refused with every reason', async () => {
    const error = await failure(
      server.client().register({ email: 'weak@example.com', password: 'short', account_name: 'Weak', account_slug: 'weak-one' }),
    );
    assert.equal(error.status, 400);
    const codes = error.details.details.map((detail) => detail.code);
    assert.deepEqual(codes, ['password_too_short', 'password_no_uppercase', 'password_no_digit', 'password_no_special']);
  });

  test('a superadmin is recognised right after the login', async () => {
    const client = await server.superadmin();
    assert.equal(client.isSuperadmin, true);
    assert.equal(client.isAuthenticated, true);
  });

  test('a user is logged in and no superadmin', async () => {
    const { credentials } = await server.register();
    const client = server.client();
    const session = await client.login(credentials);
    assert.equal(client.isAuthenticated, true);
    assert.equal(client.isSuperadmin, false);
    assert.equal(client.account.slug, credentials.account);
    assert.equal(client.tokenType, 'jwt');
    assert.ok(session.expires_in > 0);
    const [, payload] = session.token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    assert.ok(claims.exp * 1000 > Date.now());
    assert.equal(claims.account_id, client.account.id);
  });

  test('the default account stands in for a missing one', async () => {
    const { credentials } = await server.register();
    const client = server.client({ defaultAccount: credentials.account });
    await client.login({ email: credentials.email, password: credentials.password });
    assert.equal(client.account.slug, credentials.account);
  });

  test('the account may be named by its id', async () => {
    const { account, credentials } = await server.register();
    const client = server.client();
    await client.login({ ...credentials, account: account.id });
    assert.equal(client.account.slug, credentials.account);
  });

  test('getCurrentUser keeps the account with its slug', async () => {
    const client = await server.newUser();
    const { slug, name } = client.account;
    const me = await client.getCurrentUser();
    assert.equal(client.account.slug, slug);
    assert.equal(client.account.name, name);
    assert.equal(me.user.email, client.user.email);
    assert.deepEqual(me.user.groups, ['pii_access']);
    assert.equal(client.isSuperadmin, false);
  });

  test('refreshToken renews both tokens and keeps user and account', async () => {
    const client = await server.newUser();
    const { id } = client.user;
    const { slug } = client.account;
    const before = client.internalAuthManager.refreshToken;
    const renewed = await client.refreshToken();
    assert.notEqual(renewed.refresh_token, before);
    assert.equal(client.user.id, id);
    assert.equal(client.account.slug, slug);
    assert.equal((await client.getCurrentUser()).user.id, id);
  });

  test('a refresh token works once', async () => {
    const client = await server.newUser();
    const used = client.internalAuthManager.refreshToken;
    await client.refreshToken();
    await client.internalAuthManager.setState({ refreshToken: used });
    const error = await failure(client.refreshToken());
    assert.ok(error instanceof AuthenticationError, error.name);
    assert.ok(!(error instanceof EmailVerificationRequiredError));
  });

  test('logout ends the session on the server', async () => {
    const { credentials } = await server.register();
    const client = server.client();
    const { refresh_token: old } = await client.login(credentials);
    assert.deepEqual(await client.logout(), { success: true });
    assert.equal(client.isAuthenticated, false);
    await client.internalAuthManager.setState({ refreshToken: old });
    const error = await failure(client.refreshToken());
    assert.ok(error instanceof AuthenticationError, error.name);
  });

  test('logout without a session resolves too', async () => {
    assert.deepEqual(await server.client().logout(), { success: true });
  });

  test('every failed login looks alike, and none like a missing verification', async () => {
    const { credentials } = await server.register();
    const attempts = [
      { ...credentials, password: 'Wrong-Password-1' },
      { ...credentials, email: 'nobody@example.com' },
      { ...credentials, account: 'no-such-account' },
    ];
    const bodies = [];
    for (const attempt of attempts) {
      let error;
      const requests = await countRequests(async () => {
        error = await failure(server.client().login(attempt));
      });
      assert.ok(error instanceof AuthenticationError, error.name);
      assert.ok(!(error instanceof EmailVerificationRequiredError));
      assert.equal(error.code, 'AUTHENTICATION_ERROR');
      assert.equal(requests, 1);
      bodies.push(error.details);
    }
    assert.deepEqual(bodies[1], bodies[0]);
    assert.deepEqual(bodies[2], bodies[0]);
  });

  test('a bad token is an authentication error on every kind of endpoint', async () => {
    const client = server.client({ getAccessToken: () => 'eyJhbGciOiJIUzI1NiJ9.e30.bad' });
    for (const call of [() => client.getCurrentUser(), () => client.records.list('anything'), () => client.collections.list()]) {
      const error = await failure(call());
      assert.ok(error instanceof AuthenticationError, error.name);
      assert.equal(error.code, 'AUTHENTICATION_ERROR');
    }
  });

  test('an API key authenticates until it is revoked', async () => {
    const admin = await server.superadmin();
    const { id, key } = await admin.apiKeys.create({ name: 'For the test' });
    assert.ok(key.startsWith('sb_ak.'));
    const client = server.client({ apiKey: key });
    assert.ok(Array.isArray(await client.collections.listNames()));
    await admin.apiKeys.revoke(id);
    const error = await failure(client.collections.listNames());
    assert.ok(error instanceof AuthenticationError, error.name);
  });
});
