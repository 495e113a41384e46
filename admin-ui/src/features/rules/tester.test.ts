import { describe, expect, it } from 'vitest';
import { callerOf, verdictOf } from './tester';

describe('tester', () => {
  it('reads the groups', () => {
    expect(callerOf({ id: 'a', email: '', role: '', account_id: '', groups: ' x, ,y ' }).groups).toEqual(['x', 'y']);
  });
  it('knows what needs no trying', () => {
    expect(verdictOf(null)?.allowed).toBe(false);
    expect(verdictOf('')?.allowed).toBe(true);
    expect(verdictOf('true')).toBeNull();
  });
});
