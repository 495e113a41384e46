import { describe, expect, it } from 'vitest';
import { csvLine, parseCsv } from './csv';

describe('csv', () => {
  it('round-trips quotes, separators and line breaks', () => {
    const row = ['plain', 'a "b"', 'x, y', 'one\ntwo', '', ' padded '];
    expect(parseCsv(`${csvLine(row)}\r\n`)).toEqual([row]);
  });
  it('reads semicolons and tabs, a byte order mark and a last line without an end', () => {
    expect(parseCsv('\uFEFFa;b\r\n1;2')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
    expect(parseCsv('a\tb\n\n1\t')).toEqual([
      ['a', 'b'],
      ['1', ''],
    ]);
  });
});
