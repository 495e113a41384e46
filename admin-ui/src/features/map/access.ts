/** What the rules of all collections say about each role, and what in them is likely a mistake. */
import type { CollectionListItem, FieldDefinition } from '@/api/types';
import { type Operation, OPERATIONS } from '@/features/rules/rule-state';
import { whoOf } from '@/features/rules/rule-summary';

export type CollectionRules = Record<Operation, string | null>;

interface Permission {
  operation: string;
  rule?: string | null;
}

export function rulesOf(permissions: readonly Permission[]): CollectionRules {
  const rule = (operation: Operation) => permissions.find((permission) => permission.operation === operation)?.rule ?? null;
  return { list: rule('list'), view: rule('view'), create: rule('create'), update: rule('update'), delete: rule('delete') };
}

/** `all`: every record; `own`: those the user created; `some`: depends on the record or the user; `none`: no record. */
export type Access = 'all' | 'own' | 'some' | 'none';

/** The roles that a rule asks for by name. */
export function rolesIn(rule: string): string[] {
  const named = rule.matchAll(/@has_role\(\s*(['"])(.+?)\1\s*\)|@request\.auth\.role\s*=\s*(['"])(.+?)\3/g);
  return [...named].map((match) => match[2] ?? match[4] ?? '');
}

/** What users of a role may do by a rule, as far as its text says so. */
export function accessOf(rule: string | null, role: string): Access {
  if (rule === null) return 'none';
  switch (whoOf(rule)) {
    case 'everyone':
    case 'signed-in':
      return 'all';
    case 'nobody':
      return 'none';
    case 'owner':
      return 'own';
    case 'some': {
      // A rule that is nothing but one role's name lets that role in, and nobody else.
      const bare = /^\s*(@has_role\(\s*(['"])(.+?)\2\s*\)|@request\.auth\.role\s*=\s*(['"])(.+?)\4)\s*$/.exec(rule);
      if (!bare) return 'some';
      return (bare[3] ?? bare[5]) === role ? 'all' : 'none';
    }
  }
}

export interface Warning {
  level: 'danger' | 'caution' | 'note';
  text: string;
}

/** A rule over more records than this should find them by an index. */
const MANY_RECORDS = 1_000;

function namesIn(rule: string): string[] {
  const bare = rule.replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, '').replaceAll(/@[\w.:]+/g, '');
  return bare.match(/[A-Za-z_]\w*/g) ?? [];
}

function withoutIndex(rule: string, fields: readonly FieldDefinition[]): string[] {
  const named = new Set(namesIn(rule));
  return fields.filter((field) => named.has(field.name) && !field.index && !field.unique).map((field) => field.name);
}

export function warningsFor({ schema, record_count }: Pick<CollectionListItem, 'schema' | 'record_count'>, rules: CollectionRules): Warning[] {
  const warnings: Warning[] = [];
  const writes = OPERATIONS.filter((operation) => operation !== 'list' && operation !== 'view');
  const open = writes.filter((operation) => rules[operation] === '');
  if (open.length > 0) warnings.push({ level: 'danger', text: `Anyone can ${open.join(', ')} records without signing in.` });
  const shared = (['update', 'delete'] as const).filter((operation) => whoOf(rules[operation]) === 'signed-in');
  if (shared.length > 0) warnings.push({ level: 'caution', text: `Every signed-in user can ${shared.join(' and ')} all records of the account.` });
  const personal = schema.filter((field) => field.pii).map((field) => field.name);
  if (personal.length > 0 && (rules.list === '' || rules.view === '')) warnings.push({ level: 'caution', text: `Public, although ${personal.join(', ')} holds personal data (masked).` });
  if (rules.create !== null && rules.list === null && rules.view === null) warnings.push({ level: 'caution', text: 'Users can create records but never read them.' });
  const slow = record_count > MANY_RECORDS && rules.list ? withoutIndex(rules.list, schema) : [];
  if (slow.length > 0) warnings.push({ level: 'caution', text: `The list rule compares ${slow.join(', ')}, which has no index.` });
  if (OPERATIONS.every((operation) => rules[operation] === null)) warnings.push({ level: 'note', text: 'Locked: only superadmins have access.' });
  return warnings;
}
