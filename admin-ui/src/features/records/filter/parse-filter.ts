/** Reads back what the builder writes, and what people write alike; anything richer stays text. */
import { lex, type Token } from '@/features/expressions/lexer';
import type { Condition, Filter } from './filter-text';

const COMPARISONS = ['=', '!=', '>', '>=', '<', '<='] as const;

class Reader {
  private at = 0;
  private readonly tokens: Token[];
  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }
  peek(): Token | undefined {
    return this.tokens[this.at];
  }
  next(): Token | undefined {
    this.at += 1;
    return this.tokens[this.at - 1];
  }
  /** Takes the next token if it reads like this. */
  take(text: string): boolean {
    const found = this.peek()?.text.toUpperCase() === text;
    if (found) this.at += 1;
    return found;
  }
  get done(): boolean {
    return this.at >= this.tokens.length;
  }
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(['"\\])/g, '$1');
}

/** A value, or null for what is none. */
function value(reader: Reader): string | null {
  const token = reader.next();
  if (token?.text === '-' && reader.peek()?.kind === 'number') return `-${reader.next()?.text ?? ''}`;
  if (token?.kind === 'string') return unquoted(token.text);
  if (token?.kind === 'number') return token.text;
  return token && /^(true|false)$/i.test(token.text) ? token.text.toLowerCase() : null;
}

function pattern(field: string, text: string): Condition | null {
  const inner = /^(%?)((?:\\[\\%_]|\\(?![\\%_])|[^\\%_])*)(%?)$/.exec(text);
  if (!inner) return null;
  const [, before, escaped = '', after] = inner;
  const word = escaped.replaceAll(/\\([\\%_])/g, '$1');
  if (before && after) return { field, operator: 'contains', value: word };
  if (after) return { field, operator: 'starts', value: word };
  return before ? { field, operator: 'ends', value: word } : null;
}

function list(reader: Reader): string | null {
  if (!reader.take('(')) return null;
  const values: string[] = [];
  do {
    const next = value(reader);
    // A comma inside a value could not be told from one between two.
    if (next === null || next.includes(',') || next.trim() !== next) return null;
    values.push(next);
  } while (reader.take(','));
  return reader.take(')') ? values.join(', ') : null;
}

function condition(reader: Reader): Condition | null {
  const name = reader.next();
  if (name?.kind !== 'name' || name.text.startsWith('@')) return null;
  const field = name.text;
  if (reader.take('IS')) {
    const negated = reader.take('NOT');
    return reader.take('NULL') ? { field, operator: negated ? 'filled' : 'empty', value: '' } : null;
  }
  if (reader.take('IN')) {
    const values = list(reader);
    return values === null ? null : { field, operator: 'in', value: values };
  }
  const operator = reader.next()?.text;
  const text = value(reader);
  if (text === null) return null;
  if (operator === '~') return pattern(field, text);
  const known = COMPARISONS.find((comparison) => comparison === operator);
  return known ? { field, operator: known, value: text } : null;
}

/** The conditions of a filter, or null when the builder cannot show it. */
export function parseFilter(text: string): Filter | null {
  const tokens = lex(text).filter((token) => token.kind !== 'space');
  if (tokens.length === 0) return { join: '&&', conditions: [] };
  const reader = new Reader(tokens);
  const conditions: Condition[] = [];
  let join: Filter['join'] | null = null;
  for (;;) {
    const next = condition(reader);
    if (!next) return null;
    conditions.push(next);
    if (reader.done) return { join: join ?? '&&', conditions };
    const word = reader.next()?.text;
    if ((word !== '&&' && word !== '||') || (join !== null && join !== word)) return null;
    join = word;
  }
}
