import { describe, expect, it } from 'vitest';
import type { FieldDefinition, RecordPage } from '@/api/types';
import { folded, referencesOf, withTitles } from './titles';

const fields = [
  { name: 'title', type: 'text' },
  { name: 'author', type: 'reference', collection: 'authors' },
  { name: 'editor', type: 'reference', collection: 'authors' },
] as FieldDefinition[];
const references = referencesOf(fields);

describe('folded', () => {
  it('puts ids in place of expanded records and hands the records over', () => {
    const ada = { id: 'a', name: 'Ada' };
    const page = { items: [{ id: '1', author: ada, editor: null }, { id: '2', author: ada, editor: { id: 'g', name: 'Grace' } }] } as unknown as RecordPage;
    const { page: plain, expanded } = folded(page, references);
    expect(plain.items).toEqual([{ id: '1', author: 'a', editor: null }, { id: '2', author: 'a', editor: 'g' }]);
    expect(expanded.get('authors')?.map((record) => record.name)).toEqual(['Ada', 'Ada', 'Grace']);
    // What the server answered is not changed for others that hold it.
    expect(page.items[0]?.author).toBe(ada);
  });
  it('leaves ids that were not expanded alone', () => {
    const page = { items: [{ id: '1', author: 'a' }] } as unknown as RecordPage;
    expect(folded(page, references).page.items[0]?.author).toBe('a');
  });
});

describe('withTitles', () => {
  it('is the same map when nothing is new, and another one when a title changed', () => {
    const before = new Map([['a', 'Ada']]);
    expect(withTitles(before, [['a', 'Ada']])).toBe(before);
    expect(withTitles(before, [['a', 'Ada L.'], ['g', 'Grace']])).toEqual(new Map([['a', 'Ada L.'], ['g', 'Grace']]));
  });
  it('forgets the oldest when there are too many', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => [String(index), 'x'] as const);
    const after = withTitles(new Map(many), [['new', 'y']]);
    expect([after.size, after.has('0'), after.get('new')]).toEqual([5_000, false, 'y']);
  });
});
