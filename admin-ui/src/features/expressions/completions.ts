/** What an expression can speak of, and which of it fits what is being typed. */
import type { FieldDefinition } from '@/api/types';

export interface Completion {
  /** What is put in; the cursor goes to `|`, else behind it. */
  insert: string;
  label: string;
  detail: string;
}

const SYSTEM: [string, string][] = [
  ['id', 'the record'],
  ['account_id', 'its account'],
  ['created_at', 'date and time'],
  ['created_by', 'user who created it'],
  ['updated_at', 'date and time'],
  ['updated_by', 'user who changed it last'],
];

const CALLER: [string, string][] = [
  ['@request.auth.id', "caller's user id"],
  ['@request.auth.email', "caller's e-mail"],
  ['@request.auth.role', "caller's role"],
  ['@request.auth.account_id', "caller's account"],
];

const MACROS: [string, string][] = [
  ['@owns_record', 'the caller created the record'],
  ['@owns_record(|)', 'a field names the caller'],
  ['@is_creator', 'the caller created the record'],
  ["@has_role('|')", 'the caller has a role'],
  ["@has_group('|')", 'the caller is in a group'],
];

const WORDS: [string, string][] = [
  ['IS NULL', 'has no value'],
  ['IS NOT NULL', 'has a value'],
  ['IN (|)', 'is one of'],
  ['true', ''],
  ['false', ''],
  ['null', ''],
];

const FUNCTIONS: [string, string][] = [
  ['concat(|)', 'texts after one another'],
  ['upper(|)', 'in capitals'],
  ['lower(|)', 'in small letters'],
  ['trim(|)', 'without spaces at the ends'],
  ['length(|)', 'characters'],
  ['substring(|, 1)', 'from a character on'],
  ['abs(|)', ''],
  ['floor(|)', ''],
  ['ceil(|)', ''],
  ['round(|)', ''],
  ['if(|, a, b)', 'a if true, otherwise b'],
  ['coalesce(|)', 'the first that has a value'],
  ['nullif(|, b)', 'no value if it equals b'],
  ['now()', 'the present'],
  ["date_diff(|, b, 'days')", 'time between'],
  ["date_add(|, 1, 'days')", 'so much later'],
];

function completion([insert, detail]: [string, string]): Completion {
  return { insert, label: insert.replace('|', ''), detail };
}

/** What can be compared; the server refuses to look into what is encrypted. */
function names(fields: FieldDefinition[]): [string, string][] {
  return fields.filter((field) => !field.encrypted).map((field) => [field.name, field.type]);
}

/** A stored query that rules can call. */
export interface StoredMacro {
  name: string;
  parameters: readonly string[];
}

function called({ name, parameters }: StoredMacro): [string, string] {
  return parameters.length === 0 ? [`@${name}`, 'stored macro'] : [`@${name}(|)`, `stored macro of ${parameters.join(', ')}`];
}

/** Of an encrypted value one can only ask whether there is a new one. */
function asSent({ name, type, encrypted }: FieldDefinition): [string, string][] {
  const value: [string, string][] = encrypted ? [] : [[`@request.data.${name}`, `${type}, as sent`]];
  return [...value, [`@request.data.${name}:isset`, 'it was sent'], [`@request.data.${name}:changed`, 'it was sent and changes']];
}

export function filterCompletions(fields: FieldDefinition[]): Completion[] {
  return [...names(fields), ...SYSTEM, ...WORDS, ...FUNCTIONS].map(completion);
}

/** For computed fields. */
export function functionCompletions(): Completion[] {
  return FUNCTIONS.map(completion);
}

/** Rules have macros, and no functions. */
export function ruleCompletions(fields: FieldDefinition[], operation: string, stored: readonly StoredMacro[] = []): Completion[] {
  const writes = operation === 'create' || operation === 'update';
  const sent = writes ? fields.filter((field) => !field.expression).flatMap(asSent) : [];
  const open = fields.some((field) => field.name === 'public') ? [completion(['@is_public', 'public is true'])] : [];
  const all = [...names(fields), ...SYSTEM, ...WORDS, ...CALLER, ...MACROS, ...stored.map(called)];
  return [...all.map(completion), ...open, ...sent.map(completion)];
}

/** The word that ends at the cursor; inside of quotes there is none. */
export function wordBefore(text: string, cursor: number): string | null {
  const before = text.slice(0, cursor);
  const quotes = before.replaceAll(/\\./g, '').match(/'[^']*'?|"[^"]*"?/g);
  const last = quotes?.at(-1);
  if (last && before.endsWith(last) && (last.length === 1 || !last.endsWith(last.charAt(0)))) return null;
  return /(?:@[\w.]*:\w*|[@\w.]*)$/.exec(before)?.[0] ?? '';
}

const MOST = 8;

/** The best first: what begins alike, then what contains it. */
export function matching(all: Completion[], word: string): Completion[] {
  const typed = word.toLowerCase();
  const named = (entry: Completion) => entry.label.toLowerCase();
  const hits = all.filter((entry) => named(entry).includes(typed) && named(entry) !== typed);
  return [...hits.filter((entry) => named(entry).startsWith(typed)), ...hits.filter((entry) => !named(entry).startsWith(typed))].slice(0, MOST);
}

/** The text with the completion in place of the word, and where the cursor goes. */
export function completed(text: string, cursor: number, word: string, entry: Completion): { text: string; cursor: number } {
  const before = text.slice(0, cursor - word.length);
  const stop = entry.insert.indexOf('|');
  const plain = entry.insert.replace('|', '');
  return { text: before + plain + text.slice(cursor), cursor: before.length + (stop < 0 ? plain.length : stop) };
}
