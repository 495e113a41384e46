import { describe, expect, it } from 'vitest';
import { lex } from './lexer';

const kinds = (text: string) => lex(text).filter((token) => token.kind !== 'space').map(({ kind, text: part }) => [kind, part]);

describe('lex', () => {
  it('tells names, variables, keywords and values apart', () => {
    expect(kinds("created_by = @request.auth.id && views in (1.5, 'a')")).toEqual([
      ['name', 'created_by'],
      ['operator', '='],
      ['variable', '@request.auth.id'],
      ['operator', '&&'],
      ['name', 'views'],
      ['keyword', 'in'],
      ['bracket', '('],
      ['number', '1.5'],
      ['bracket', ','],
      ['string', "'a'"],
      ['bracket', ')'],
    ]);
  });
  it('keeps every character, also of what is unfinished or unknown', () => {
    for (const text of [String.raw`a = 'it\'s`, 'a & b ; 😀', 'innocent != isolated', '"']) {
      expect(lex(text).map((token) => token.text).join('')).toBe(text);
    }
  });
  it('does not take the beginning of a name for a keyword', () => {
    expect(kinds('isolated')).toEqual([['name', 'isolated']]);
  });
});
