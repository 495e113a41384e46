/** Says in a sentence whom a rule lets in. Common conditions get words; everything else is quoted. */
import type { Operation } from './rule-state';

const ACTIONS: Record<Operation, string> = {
  list: 'list records',
  view: 'open a record',
  create: 'create records',
  update: 'update a record',
  delete: 'delete a record',
};

/** Splits at an operator outside of quotes and parentheses. */
export function splitTop(text: string, operator: '||' | '&&'): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (quote) {
      if (char === '\\') index += 1;
      else if (char === quote) quote = '';
    } else if (char === "'" || char === '"') quote = char;
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (depth === 0 && text.startsWith(operator, index)) {
      parts.push(text.slice(start, index).trim());
      start = index + 2;
      index += 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

function closesAtEnd(text: string): boolean {
  let depth = 0;
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (quote) {
      if (char === '\\') index += 1;
      else if (char === quote) quote = '';
    } else if (char === "'" || char === '"') quote = char;
    else if (char === '(') depth += 1;
    else if (char === ')') {
      depth -= 1;
      if (depth === 0) return index === text.length - 1;
    }
  }
  return false;
}

function unwrap(text: string): string {
  const trimmed = text.trim();
  return trimmed.startsWith('(') && closesAtEnd(trimmed) ? unwrap(trimmed.slice(1, -1)) : trimmed;
}

const LITERAL = String.raw`(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?|true|false))`;

const ANYBODY = 'any signed-in user';
const OWNER = 'the user who created the record';

const PATTERNS: [RegExp, (match: RegExpExecArray) => string][] = [
  [/^@request\.auth\.id(\s*!=\s*(''|""|null))?$/i, () => ANYBODY],
  [/^(created_by\s*=\s*@request\.auth\.id|@request\.auth\.id\s*=\s*created_by|@owns_record(\(\))?|@is_creator(\(\))?)$/, () => OWNER],
  [/^@owns_record\(\s*['"]?(\w+)['"]?\s*\)$/, (match) => `the user named in ${match[1] ?? ''}`],
  [/^@is_public(\(\))?$/, () => 'if public is true'],
  [/^account_id\s*=\s*@request\.auth\.account_id$/, () => 'users of the account that owns the record'],
  [/^@request\.auth\.id\s*=\s*(\w+)$/, (match) => `the user named in ${match[1] ?? ''}`],
  [/^(\w+)\s*=\s*@request\.auth\.id$/, (match) => `the user named in ${match[1] ?? ''}`],
  [/^@has_group\(\s*['"](.+)['"]\s*\)$/, (match) => `members of the group ${match[1] ?? ''}`],
  [/^@has_role\(\s*['"](.+)['"]\s*\)$/, (match) => `users with the role ${match[1] ?? ''}`],
  [new RegExp(`^@request\\.auth\\.role\\s*=\\s*${LITERAL}$`), (match) => `users with the role ${literal(match, 1)}`],
  [new RegExp(`^@request\\.auth\\.email\\s*=\\s*${LITERAL}$`), (match) => `the user ${literal(match, 1)}`],
  [new RegExp(`^@request\\.data\\.(\\w+)\\s*=\\s*${LITERAL}$`), (match) => `if they send ${match[1] ?? ''} as ${literal(match, 2)}`],
  [/^!\s*@request\.data\.(\w+):changed$/, (match) => `if they do not change ${match[1] ?? ''}`],
  [/^!\s*@request\.data\.(\w+):isset$/, (match) => `if they do not send ${match[1] ?? ''}`],
  [/^@request\.data\.(\w+):changed$/, (match) => `if they change ${match[1] ?? ''}`],
  [/^@request\.data\.(\w+):isset$/, (match) => `if they send ${match[1] ?? ''}`],
  [new RegExp(`^(\\w+)\\s*=\\s*${LITERAL}$`), (match) => `if ${match[1] ?? ''} is ${literal(match, 2)}`],
  [new RegExp(`^(\\w+)\\s*!=\\s*${LITERAL}$`), (match) => `if ${match[1] ?? ''} is not ${literal(match, 2)}`],
  [/^!\s*(\w+)$/, (match) => `if ${match[1] ?? ''} is not set`],
  [/^(\w+)$/, (match) => (match[1] === 'true' ? ANYBODY : match[1] === 'false' ? 'nobody' : `if ${match[1] ?? ''} is set`)],
];

function literal(match: RegExpExecArray, from: number): string {
  return match[from] ?? match[from + 1] ?? match[from + 2] ?? '';
}

/** Conditions about the record read better after those about the caller. */
function callersFirst(phrases: string[]): string[] {
  const about = (phrase: string) => /^(if|where) /.test(phrase);
  return [...phrases.filter((phrase) => !about(phrase)), ...phrases.filter(about)];
}

function describe(expression: string): string {
  const text = unwrap(expression);
  const either = splitTop(text, '||');
  if (either.length > 1) return either.map(describe).join(', or ');
  const all = splitTop(text, '&&');
  if (all.length > 1) return callersFirst(all.map(describe)).join(' and ');
  for (const [pattern, say] of PATTERNS) {
    const match = pattern.exec(text);
    if (match) return say(match);
  }
  return `where ${text}`;
}

export function summarise(operation: Operation, rule: string | null): string {
  const action = ACTIONS[operation];
  if (rule === null) return `Only superadmins can ${action}.`;
  if (rule === '') return `Everyone can ${action} of the account they name, even without signing in.`;
  if (rule.trim() === '') return 'Write an expression that decides who is let in.';
  return `Signed-in users can ${action} of their own account: ${describe(rule)}.`;
}

export type Who = 'nobody' | 'everyone' | 'signed-in' | 'owner' | 'some';

/** The short answer. Only what is certain has a name of its own. */
export function whoOf(rule: string | null): Who {
  if (rule === null) return 'nobody';
  if (rule === '') return 'everyone';
  const words = describe(rule);
  if (words === ANYBODY) return 'signed-in';
  return words === OWNER ? 'owner' : words === 'nobody' ? 'nobody' : 'some';
}
