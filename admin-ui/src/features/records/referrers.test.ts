import { describe, expect, it } from 'vitest';
import type { CollectionListItem } from '@/api/types';
import { consequences } from './consequences';
import { referringFields } from './referrers';

const collections = [
  { name: 'authors', schema: [{ name: 'name', type: 'text' }] },
  { name: 'posts', schema: [{ name: 'title', type: 'text' }, { name: 'author', type: 'reference', collection: 'authors', on_delete: 'cascade' }] },
] as unknown as CollectionListItem[];

describe('referringFields', () => {
  it('are the references of all collections to one of them', () => {
    expect(referringFields('authors', collections)).toEqual([{ collection: 'posts', field: 'author', onDelete: 'cascade', title: 'title' }]);
    expect(referringFields('posts', collections)).toEqual([]);
  });
});

describe('consequences', () => {
  const of = (onDelete: 'cascade' | 'set_null' | 'restrict', total: number) => ({ collection: 'posts', field: 'author', onDelete, title: null, total, first: [] });
  it('say what a deletion does to the records that refer', () => {
    expect(consequences([of('cascade', 2)])).toEqual(['2 records of posts are deleted with it.']);
    expect(consequences([of('set_null', 1)])).toEqual(['1 record of posts loses its author.']);
    expect(consequences([of('restrict', 3)])).toEqual(['3 records of posts refer to it by author, so the server will refuse.']);
  });
});
