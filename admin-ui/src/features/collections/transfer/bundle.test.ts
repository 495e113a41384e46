import { describe, expect, it } from 'vitest';
import type { CollectionExport } from '@/api/types';
import { fateOf, readBundle, renamed } from './bundle';

const bundle = {
  version: '1.0',
  exported_at: '',
  exported_by: '',
  collections: [
    { name: 'posts', schema: [{ name: 'author', type: 'reference', collection: 'authors' }] },
    { name: 'authors', schema: [{ name: 'name', type: 'text' }] },
  ],
} as unknown as CollectionExport;

describe('bundle', () => {
  it('is read and checked for its shape', () => {
    expect(readBundle(JSON.stringify(bundle)).collections).toHaveLength(2);
    expect(() => readBundle('{')).toThrow('not JSON');
    for (const text of ['[]', 'null', '{"collections":[{"name":1}]}']) expect(() => readBundle(text)).toThrow('no list of collections');
  });
  it('keeps references together when a collection is renamed', () => {
    const next = renamed(bundle, { authors: 'writers' });
    expect(next.collections.map((collection) => collection.name)).toEqual(['posts', 'writers']);
    expect(next.collections[0]?.schema[0]?.collection).toBe('writers');
  });
  it('says what will happen to a name that is taken', () => {
    expect(fateOf('new', ['Posts'], 'error')).toBe('new');
    expect(fateOf('posts', ['Posts'], 'error')).toBe('refuse');
    expect(fateOf('posts', ['Posts'], 'update')).toBe('update');
  });
});
