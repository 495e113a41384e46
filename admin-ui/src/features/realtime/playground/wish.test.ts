import { describe, expect, it } from 'vitest';
import { isPlain, messageOf, queryOf } from './wish';

describe('subscriptions of the playground', () => {
  it('say nothing that was not chosen', () => {
    expect(messageOf({ collection: 'posts' })).toEqual({ action: 'subscribe', collection: 'posts' });
    expect(isPlain({ collection: 'posts', operations: 'create' })).toBe(true);
    expect(isPlain({ collection: 'posts', ref: 'a' })).toBe(false);
  });
  it('carry everything that can be asked for', () => {
    const wish = { collection: 'posts', operations: 'create,delete', filter: 'n > 1', fields: 'title, n', expand: 'author.country, editor', old: true, since: 'e:5', ref: '7', record: 'r' };
    expect(messageOf(wish)).toEqual({
      action: 'subscribe', ref: 7, collection: 'posts', operations: ['create', 'delete'], record: 'r', filter: 'n > 1', fields: ['title', 'n'], expand: ['author.country', 'editor'], old: true, since: 'e:5',
    });
    expect(messageOf({ ...wish, ref: '007' }).ref).toBe('007');
  });
  it('choose between a snapshot and a place to go on', () => {
    const message = messageOf({ collection: 'posts', since: 'e:5', snapshot: true, sort: '-n', limit: 5 });
    expect(message).toEqual({ action: 'subscribe', collection: 'posts', snapshot: true, sort: '-n', limit: 5 });
    expect(messageOf({ collection: 'posts', sort: '-n', limit: 5 })).toEqual({ action: 'subscribe', collection: 'posts' });
  });
  it('become a query', () => {
    expect(queryOf({ collection: 'posts', operations: 'create,update', ref: 'a', fields: 'title,n', expand: 'author', old: true })).toEqual([
      ['collection', 'posts'], ['operations', 'create,update'], ['fields', 'title,n'], ['expand', 'author'], ['old', 'true'],
    ]);
  });
});
