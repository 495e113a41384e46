// Rooms, against the real server. SNACKBASE_BIN names the binary.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { eventually, failure, startServer, unique } from '../../../tests/js/server.js';
import { cuttable, signedIn } from './support.js';

let server;
before(async () => {
  server = await startServer();
});

/** Defines rooms and returns the id of the definition, and the name of one of them. */
async function define(rules = {}) {
  const pattern = `${unique('r')}:{id}`;
  const body = { pattern, join_rule: '', publish_rule: '', presence_rule: '', history: 5, ...rules };
  const { id } = await server.admin.send('POST', 'realtime/rooms', body);
  return { id, name: pattern.replace('{id}', '1') };
}

/** A client whose connection can be cut. */
async function connect(t, person) {
  const { WebSocket, cut } = cuttable();
  return { client: await signedIn(t, server.url, person, { WebSocket }), cut };
}

/** Enters a room and notes what it tells. */
function enter({ client }, name, options = {}) {
  const heard = { messages: [], errors: [] };
  heard.room = client.room(name, {
    message: (message) => heard.messages.push(message),
    error: (error) => heard.errors.push(error),
    ...options,
  });
  return heard;
}

const shown = ({ room }) => room.members.map((member) => member.meta.n).sort();

test('a room tells who is there, what they show, and what is said', async (t) => {
  const { name } = await define();
  const ada = await server.register();
  const grace = await server.colleague(ada);
  const one = enter(await connect(t, ada), name, { presence: { n: 1 } });
  const two = enter(await connect(t, grace), name, { presence: { n: 2 } });
  for (const heard of [one, two]) await eventually('both', () => shown(heard).join() === '1,2');
  two.room.update({ n: 3 });
  await eventually('the change', () => shown(one).join() === '1,3');
  await one.room.publish('typing', { in: 'title' });
  await eventually('the message', () => two.messages.length === 1);
  const [{ event, data, user, from }] = two.messages;
  assert.deepEqual({ event, data, user }, { event: 'typing', data: { in: 'title' }, user: ada.user.id });
  assert.equal(from, two.room.members.find((member) => member.user === ada.user.id).conn);
  two.room.leave();
  await eventually('the one that is left', () => shown(one).join() === '1');
});

test('a room is entered again after a break, without telling again what was said', async (t) => {
  const { name } = await define();
  const ada = await server.register();
  const watching = enter(await connect(t, ada), name, { presence: { n: 1 } });
  const line = await connect(t, ada);
  await eventually('the first', () => watching.room.members.length === 1);
  await watching.room.publish('before', null);
  const before = watching.room.members;
  const heard = enter(line, name, { presence: { n: 2 }, history: 5 });
  await eventually('what was said before', () => heard.messages.length === 1);
  await eventually('both', () => shown(watching).join() === '1,2');
  line.cut();
  await eventually('the message after the break', async () => {
    await watching.room.publish('after', null);
    return heard.messages.some((message) => message.event === 'after');
  });
  assert.equal(heard.messages.filter((message) => message.event === 'before').length, 1);
  assert.deepEqual(shown(watching), [1, 2]);
  assert.equal(before.length, 1);
});

test('a refusal and the end of a membership are told with their reason', async (t) => {
  const { id, name } = await define({ publish_rule: null });
  const ada = await server.register();
  const line = await connect(t, ada);
  const nowhere = enter(line, 'nowhere');
  await eventually('the refusal', () => nowhere.errors.length === 1);
  assert.equal(nowhere.errors[0].code, 'undefined_room');
  const heard = enter(line, name);
  await eventually('the member', () => heard.room.members.length === 1);
  assert.equal((await failure(heard.room.publish('x', null))).code, 'forbidden');
  await server.admin.send('PATCH', `realtime/rooms/${id}`, { join_rule: null });
  await eventually('the end', () => heard.errors.length === 1);
  assert.equal(heard.errors[0].code, 'access');
  assert.deepEqual(heard.room.members, []);
});
