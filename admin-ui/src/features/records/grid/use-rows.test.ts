import { describe, expect, it } from 'vitest';
import type { RecordPage } from '@/api/types';
import { positionOf } from './use-rows';

const page = (next: string | null, prev: string | null) => ({ items: [], next_cursor: next, prev_cursor: prev }) as unknown as RecordPage;

describe('positionOf', () => {
  it('begins with an empty cursor and the total', () => {
    expect(positionOf(0, undefined, undefined)).toEqual({ cursor: '', include_count: true });
  });
  it('goes on from a neighbour, in either direction', () => {
    expect(positionOf(3, page('n', null), undefined)).toEqual({ cursor: 'n' });
    expect(positionOf(3, undefined, page(null, 'p'))).toEqual({ cursor_before: 'p' });
  });
  it('jumps by number where no neighbour is known', () => {
    expect(positionOf(7, undefined, undefined)).toEqual({ skip: 700 });
    expect(positionOf(7, page(null, null), undefined)).toEqual({ skip: 700 });
  });
});
