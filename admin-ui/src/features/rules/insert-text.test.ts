import { describe, expect, it } from 'vitest';
import { insertAt } from './insert-text';

describe('insertAt', () => {
  it('keeps words apart', () => {
    expect(insertAt('a =', 3, 3, 'b')).toBe('a = b');
    expect(insertAt('(', 1, 1, 'b')).toBe('(b');
    expect(insertAt('a && c', 5, 6, 'b')).toBe('a && b');
    expect(insertAt('c', 0, 0, 'b')).toBe('b c');
  });
});
