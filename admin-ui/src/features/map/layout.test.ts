import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { layoutOf } from './layout';

const collection = (name: string, ...targets: string[]) => ({
  name,
  record_count: 0,
  field_count: targets.length,
  schema: targets.map((target, index): FieldDefinition => ({ name: `r${index}`, type: 'reference', collection: target })),
});

describe('the map', () => {
  it('puts what is referred to on the right', () => {
    const { cards, lines } = layoutOf([collection('authors'), collection('comments', 'posts'), collection('posts', 'authors')]);
    const x = (name: string) => cards.find((card) => card.name === name)?.x ?? -1;
    expect(x('comments')).toBeLessThan(x('posts'));
    expect(x('posts')).toBeLessThan(x('authors'));
    expect(lines.map(({ key }) => key).sort()).toEqual(['comments.r0', 'posts.r0']);
  });
  it('ends although collections refer to each other and to themselves', () => {
    const { cards, lines } = layoutOf([collection('a', 'b', 'a'), collection('b', 'a')]);
    expect(cards).toHaveLength(2);
    expect(lines).toHaveLength(3);
  });
  it('leaves out references to what is gone, and puts no card on another', () => {
    const { cards, lines } = layoutOf([collection('a', 'gone'), ...Array.from({ length: 30 }, (_, index) => collection(`c${index}`))]);
    expect(lines).toEqual([]);
    expect(new Set(cards.map(({ x, y }) => `${x} ${y}`)).size).toBe(31);
  });
});
