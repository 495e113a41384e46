// Subscriptions of the unmodified package: what they are told, and what they are not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Inbox, client, eventually, hangUp, startServer } from './harness.js';

const FIELDS = [
  { name: 'title', type: 'text' },
  { name: 'n', type: 'number' },
];

let server;
before(async () => {
  server = await startServer();
});
after(hangUp);

/** A record that comes last, so that what was not told before it is not told at all. */
async function mark(person, collection, inbox) {
  const last = await person.create(collection, { title: 'mark' });
  await eventually('the mark', () => inbox.events.some((event) => event.record.id === last.id));
  return last;
}

test('a collection tells of every change, with the record as REST shows it', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const inbox = new Inbox();
  await client(server, ada.token).collection(notes).subscribe('*', inbox.push);
  const created = await ada.create(notes, { title: 'Buy milk', n: 1.5 });
  const updated = await ada.update(notes, created.id, { n: 2 });
  await ada.update(notes, created.id, {});
  await ada.delete(notes, created.id);
  const events = await inbox.first(4);
  assert.deepEqual(events.map((event) => event.action), ['create', 'update', 'update', 'delete']);
  const { collectionId, collectionName, ...record } = events[0].record;
  assert.equal(collectionName, notes);
  assert.match(collectionId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(record, created);
  assert.equal(events[1].record.n, updated.n);
  assert.equal(events[3].record.id, created.id);
  assert.deepEqual(Object.keys(events[3]), ['record', 'action']);
});

test('one record tells of itself alone, and by the view rule', async () => {
  const ada = await server.register();
  const notes = await server.collection(FIELDS, { list_rule: null, view_rule: '' });
  const [one, other] = [await ada.create(notes, { n: 1 }), await ada.create(notes, { n: 2 })];
  const [alone, all] = [new Inbox(), new Inbox()];
  const pb = client(server, ada.token);
  await pb.collection(notes).subscribe(one.id, alone.push);
  await pb.collection(notes).subscribe('*', all.push);
  await ada.update(notes, other.id, { n: 3 });
  await ada.update(notes, one.id, { n: 4 });
  await ada.delete(notes, one.id);
  await eventually('the end of the record', () => alone.events.some((event) => event.action === 'delete'));
  // The creation may be told, too, if it was not when the subscription began.
  const events = alone.events.filter((event) => event.action !== 'create');
  assert.deepEqual(events.map((event) => [event.action, event.record.id]), [['update', one.id], ['delete', one.id]]);
  assert.equal(events[0].record.n, 4);
  assert.deepEqual(all.events, [], 'nobody may list');
});

test('a collection can be named by its id, and each topic has events of its own', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const { id } = await server.admin.send('GET', `collections/${notes}`);
  const [byName, byId, bare] = [new Inbox(), new Inbox(), new Inbox()];
  const pb = client(server, ada.token);
  await Promise.all([
    pb.realtime.subscribe(`${notes}/*`, byName.push),
    pb.realtime.subscribe(`${id}/*`, byId.push),
    pb.realtime.subscribe(notes, bare.push),
  ]);
  const created = await ada.create(notes, { title: 'x' });
  for (const inbox of [byName, byId, bare]) {
    assert.equal((await inbox.first(1))[0].record.id, created.id);
  }
});

test('options filter records and pick fields', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const [filtered, picked, wrong, all] = [new Inbox(), new Inbox(), new Inbox(), new Inbox()];
  const pb = client(server, ada.token);
  await pb.collection(notes).subscribe('*', filtered.push, { filter: 'n > 5 && title != "no: ä?"' });
  await pb.collection(notes).subscribe('*', picked.push, { fields: 'id,title' });
  // A filter that means nothing shows nothing, and is no error.
  await pb.collection(notes).subscribe('*', wrong.push, { filter: 'nothing ==' });
  await pb.collection(notes).subscribe('*', wrong.push, { filter: '@request.auth.id != ""' });
  await pb.collection(notes).subscribe('*', all.push);
  const low = await ada.create(notes, { title: 'low', n: 1 });
  const high = await ada.create(notes, { title: 'high', n: 9 });
  await ada.create(notes, { title: 'no: ä?', n: 9 });
  await ada.update(notes, low.id, { n: 7 });
  await ada.update(notes, high.id, { n: 0 });
  await all.first(5);
  const told = (inbox) => inbox.events.map((event) => [event.action, event.record.id]);
  // What leaves the filter is deleted as far as the subscriber can tell.
  await eventually('the last event', () => filtered.events.length >= 3);
  assert.deepEqual(told(filtered), [['create', high.id], ['update', low.id], ['delete', high.id]]);
  assert.deepEqual((await picked.first(1))[0].record, { id: low.id, title: 'low' });
  assert.deepEqual(wrong.events, []);
});

test('references are expanded beside their ids, as far as they may be seen', async () => {
  const ada = await server.register();
  const grace = await server.colleague(ada);
  const reference = (name, collection) => ({ name, type: 'reference', collection, on_delete: 'set_null' });
  const countries = await server.collection(FIELDS);
  const authors = await server.collection([...FIELDS, reference('country', countries)], { view_rule: 'n > 1' });
  const books = await server.collection([...FIELDS, reference('author', authors), reference('editor', authors)]);
  const country = await ada.create(countries, { title: 'Land' });
  const known = await ada.create(authors, { title: 'Ann', n: 2, country: country.id });
  const hidden = await ada.create(authors, { title: 'Bob', n: 1 });
  const [all, picked, wrong, one] = [new Inbox(), new Inbox(), new Inbox(), new Inbox()];
  const pb = client(server, grace.token);
  await pb.collection(books).subscribe('*', all.push, { expand: 'author.country,editor' });
  await pb.collection(books).subscribe('*', picked.push, { expand: 'author,editor', fields: 'id,expand.author.title' });
  // What cannot be expanded is left as it is.
  await pb.collection(books).subscribe('*', wrong.push, { expand: 'title,nothing,author' });
  const book = await ada.create(books, { title: 'Book', author: known.id, editor: hidden.id });
  const { record } = (await all.first(1))[0];
  assert.deepEqual([record.author, record.editor, Object.keys(record.expand)], [known.id, hidden.id, ['author']]);
  const { expand, ...author } = record.expand.author;
  assert.deepEqual([author.title, author.country, author.collectionName], ['Ann', country.id, authors]);
  assert.equal(expand.country.title, 'Land');
  const pick = (await picked.first(1))[0].record;
  assert.deepEqual([Object.keys(pick).sort(), pick.expand.author.title], [['expand', 'id'], 'Ann']);
  assert.equal((await wrong.first(1))[0].record.expand.author.title, 'Ann');
  await pb.collection(books).subscribe(book.id, one.push, { expand: 'editor' });
  await ada.update(authors, hidden.id, { n: 2 });
  await ada.update(books, book.id, { title: 'Again' });
  assert.equal((await one.first(1))[0].record.expand.editor.title, 'Bob');
  await ada.delete(books, book.id);
  assert.equal((await all.first(3))[2].record.expand, undefined);
});

test('rules decide what is told', async () => {
  const ada = await server.register();
  const grace = await server.colleague(ada);
  const notes = await server.collection(FIELDS, { list_rule: 'created_by = @request.auth.id', view_rule: null });
  const locked = await server.collection(FIELDS, { list_rule: null });
  const [own, others, hidden, viewed] = [new Inbox(), new Inbox(), new Inbox(), new Inbox()];
  const pb = client(server, ada.token);
  await pb.collection(notes).subscribe('*', own.push);
  const record = await ada.create(notes, { title: 'before' });
  // It has been told before the others come.
  await own.first(1);
  await pb.collection(notes).subscribe(record.id, viewed.push);
  await pb.collection(locked).subscribe('*', hidden.push);
  await client(server, grace.token).collection(notes).subscribe('*', others.push);
  await ada.update(notes, record.id, { title: 'after' });
  await ada.create(locked, { title: 'secret' });
  await mark(ada, notes, own);
  await mark(grace, notes, others);
  assert.deepEqual(own.events.map((event) => event.record.title), ['before', 'after', 'mark']);
  assert.deepEqual(others.events.map((event) => event.record.title), ['mark']);
  assert.deepEqual([...hidden.events, ...viewed.events], []);
});

test('nothing of another account is told', async () => {
  const [ada, eve] = [await server.register(), await server.register()];
  const notes = await server.collection(FIELDS);
  const record = await ada.create(notes, { title: 'secret' });
  const inbox = new Inbox();
  const pb = client(server, eve.token);
  await pb.collection(notes).subscribe('*', inbox.push);
  await pb.collection(notes).subscribe(record.id, inbox.push);
  await ada.update(notes, record.id, { title: 'secret 2' });
  await ada.create(notes, { title: 'secret 3' });
  await mark(eve, notes, inbox);
  assert.deepEqual(inbox.events.map((event) => event.record.title), ['mark']);
});

test('events come in order, each once, also from batches', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const inbox = new Inbox();
  await client(server, ada.token).collection(notes).subscribe('*', inbox.push);
  const record = await ada.create(notes, { n: 0 });
  for (let n = 1; n <= 50; n += 1) await ada.update(notes, record.id, { n });
  for (let batch = 0; batch < 10; batch += 1) {
    const records = Array.from({ length: 20 }, (_, i) => ({ n: 100 + batch * 20 + i }));
    await ada.send('POST', `records/${notes}/batch`, { records });
  }
  const expected = [...Array(51).keys(), ...Array.from({ length: 200 }, (_, i) => 100 + i)];
  assert.deepEqual((await inbox.first(251)).map((event) => event.record.n), expected);
});

test('whoever unsubscribes is told no more, and the last one hangs up', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const others = await server.collection(FIELDS);
  const [stopped, going] = [new Inbox(), new Inbox()];
  const pb = client(server, ada.token);
  const stop = await pb.collection(notes).subscribe('*', stopped.push);
  await pb.collection(others).subscribe('*', going.push);
  await stop();
  await ada.create(notes, { title: 'unheard' });
  await mark(ada, others, going);
  assert.deepEqual(stopped.events, []);
  await pb.collection(others).unsubscribe('*');
  assert.equal(pb.realtime.isConnected, false);
  // And it can begin again.
  await pb.collection(notes).subscribe('*', stopped.push);
  await mark(ada, notes, stopped);
});

test('two tabs are two clients', async () => {
  const [ada, notes] = [await server.register(), await server.collection(FIELDS)];
  const tabs = [client(server, ada.token), client(server, ada.token)];
  const inboxes = [new Inbox(), new Inbox()];
  await Promise.all(tabs.map((tab, i) => tab.collection(notes).subscribe('*', inboxes[i].push)));
  assert.notEqual(tabs[0].realtime.clientId, tabs[1].realtime.clientId);
  const created = await ada.create(notes, {});
  for (const inbox of inboxes) assert.equal((await inbox.first(1))[0].record.id, created.id);
  await tabs[0].collection(notes).unsubscribe();
  await mark(ada, notes, inboxes[1]);
  assert.equal(inboxes[0].events.length, 1);
});

test('an app may listen for the connection itself', async () => {
  const ada = await server.register();
  const inbox = new Inbox();
  const pb = client(server, ada.token);
  await pb.realtime.subscribe('PB_CONNECT', inbox.push);
  assert.deepEqual(await inbox.first(1), [{ clientId: pb.realtime.clientId }]);
});
