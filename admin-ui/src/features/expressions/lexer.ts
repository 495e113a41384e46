/** Cuts an expression into tokens, for colours, completion and the filter builder. The server alone judges what is right. */

export type TokenKind = 'name' | 'variable' | 'keyword' | 'string' | 'number' | 'operator' | 'bracket' | 'space' | 'other';

export interface Token {
  kind: TokenKind;
  text: string;
  /** In UTF-16 units. */
  start: number;
}

const KINDS: [TokenKind, RegExp][] = [
  ['space', /\s+/y],
  // A quote that is not closed yet reaches to the end.
  ['string', /'(?:[^'\\]|\\[^])*(?:'|$)|"(?:[^"\\]|\\[^])*(?:"|$)/y],
  ['number', /\d+(?:\.\d*)?/y],
  ['variable', /@[\w.]*(?::\w*)?/y],
  ['keyword', /(?:IN|IS|NOT|NULL|TRUE|FALSE)\b/iy],
  ['name', /[A-Za-z_][\w.]*/y],
  ['operator', /&&|\|\||!=|<=|>=|[=<>~!+\-*/%]/y],
  ['bracket', /[(),]/y],
  ['other', /[^]/y],
];

export function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let start = 0;
  while (start < text.length) {
    for (const [kind, pattern] of KINDS) {
      pattern.lastIndex = start;
      const match = pattern.exec(text);
      if (!match || match[0] === '') continue;
      tokens.push({ kind, text: match[0], start });
      start += match[0].length;
      break;
    }
  }
  return tokens;
}
