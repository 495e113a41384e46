import { describe, expect, it } from 'vitest';
import { problemIn, stretchOf } from './problems';

describe('stretchOf', () => {
  it('marks the whole word', () => {
    expect(stretchOf('a = nope || b', 4)).toEqual({ from: 4, to: 8 });
  });
  it('counts characters as the server does', () => {
    expect(stretchOf("a = '😀' || nope", 11)).toEqual({ from: 12, to: 16 });
  });
  it('marks the end of a text that stops too early', () => {
    expect(stretchOf('a =', 3)).toEqual({ from: 3, to: 4 });
  });
});

describe('problemIn', () => {
  it('takes the place out of the message', () => {
    expect(problemIn('write && instead of a word (at position 9)')).toEqual({ message: 'write && instead of a word', position: 9 });
    expect(problemIn('no such field')).toEqual({ message: 'no such field', position: 0 });
  });
});
