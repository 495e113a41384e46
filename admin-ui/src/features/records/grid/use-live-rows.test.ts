import { describe, expect, it } from 'vitest';
import type { RecordRow } from '@/api/types';
import { changedNames } from './use-live-rows';

describe('changedNames', () => {
  it('compares values, not identities, and leaves out what an event does not know', () => {
    const before = { id: 'a', title: 'x', meta: { a: 1 }, account_name: 'Acme' } as unknown as RecordRow;
    expect(changedNames(before, { ...before, title: 'y', meta: { a: 1 }, account_name: null })).toEqual(['title']);
    expect(changedNames(before, { ...before })).toEqual([]);
  });
});
