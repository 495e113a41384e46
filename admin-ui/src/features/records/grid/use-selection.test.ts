import { describe, expect, it } from 'vitest';
import { toggled } from './use-selection';

const order = ['a', 'b', 'c', 'd'];

describe('toggled', () => {
  it('takes one in and out', () => {
    const one = toggled({ chosen: new Set(), last: null }, 'b', false, order);
    expect([...one.chosen]).toEqual(['b']);
    expect([...toggled(one, 'b', false, order).chosen]).toEqual([]);
  });
  it('takes a range, in either direction', () => {
    expect([...toggled({ chosen: new Set(['d']), last: 'd' }, 'b', true, order).chosen].sort()).toEqual(['b', 'c', 'd']);
  });
});
