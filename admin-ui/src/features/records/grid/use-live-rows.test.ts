import { describe, expect, it } from 'vitest';
import { changedNames } from './use-live-rows';

describe('changedNames', () => {
  it('compares values, not identities, and leaves out what an event does not know', () => {
    const before = { id: 'a', title: 'x', meta: { a: 1 }, account_name: 'Acme' };
    expect(changedNames(before, { id: 'a', title: 'y', meta: { a: 1 }, account_name: null })).toEqual(['title']);
    expect(changedNames(before, { ...before })).toEqual([]);
  });
});
