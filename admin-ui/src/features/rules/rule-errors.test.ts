import { describe, expect, it } from 'vitest';
import type { ValidateRuleResponse } from '@/api/types';
import { cutAt, problemsOf } from './rule-errors';

describe('problemsOf', () => {
  it('prefers what says where', () => {
    const answer = { valid: false, errors: ['bad'], problems: [{ message: 'bad', position: 2 }] };
    expect(problemsOf(answer)).toEqual([{ message: 'bad', position: 2 }]);
  });
  it('takes texts and objects', () => {
    const answer = { valid: false, errors: ['bad', { message: 'worse', position: 3 }] } as unknown as ValidateRuleResponse;
    expect(problemsOf(answer)).toEqual([
      { message: 'bad', position: null },
      { message: 'worse', position: 3 },
    ]);
  });
});

describe('cutAt', () => {
  it('marks the whole word', () => {
    expect(cutAt('a = nope || b', 4)).toEqual(['a = ', 'nope', ' || b']);
  });
  it('counts characters as the server does', () => {
    expect(cutAt("a = '😀' || nope", 11)).toEqual(["a = '😀' || ", 'nope', '']);
  });
  it('marks the end of a text that stops too early', () => {
    expect(cutAt('a =', 3)).toEqual(['a =', ' ', '']);
  });
});
