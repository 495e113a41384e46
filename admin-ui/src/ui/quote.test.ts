import { describe, expect, it } from 'vitest';
import { literal, script, shell } from './quote';

describe('quoting', () => {
  it('keeps quotes inside of quotes', () => {
    expect(shell("it's")).toBe(String.raw`'it'\''s'`);
    expect(script("it's a \\ \n")).toBe(String.raw`'it\'s a \\ \n'`);
  });
  it('writes short values in a line and long ones in several', () => {
    expect(literal({ title: 'a', 'odd-name': [1, null, true], none: {} })).toBe("{ title: 'a', 'odd-name': [1, null, true], none: {} }");
    const long = literal({ records: [{ title: 'x'.repeat(60), text: 'y'.repeat(40) }] });
    expect(long.split('\n')).toHaveLength(8);
    expect((0, eval)(`(${long})`)).toEqual({ records: [{ title: 'x'.repeat(60), text: 'y'.repeat(40) }] });
  });
});
