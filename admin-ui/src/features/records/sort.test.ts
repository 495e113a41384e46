import { describe, expect, it } from 'vitest';
import { cycled, sortKeys, sortText } from './sort';

describe('sort', () => {
  it('round-trips', () => {
    expect(sortText(sortKeys('title,-views'))).toBe('title,-views');
    expect(sortKeys('+a')).toEqual([{ name: 'a', descending: false }]);
  });
  it('goes up, down and back to the newest first', () => {
    expect(cycled('-created_at', 'title', false)).toBe('title');
    expect(cycled('title', 'title', false)).toBe('-title');
    expect(cycled('-title', 'title', false)).toBe('-created_at');
  });
  it('adds keys behind those that are there', () => {
    expect(cycled('title', 'views', true)).toBe('title,views');
    expect(cycled('title,views', 'title', true)).toBe('-title,views');
    expect(cycled('-title,views', 'title', true)).toBe('views');
  });
});
