/** The rules as the server keeps them (null, empty or an expression) and as the editor shows them. */
import type { Rules, RulesPatch } from '@/api/types';

export const OPERATIONS = ['list', 'view', 'create', 'update', 'delete'] as const;
export type Operation = (typeof OPERATIONS)[number];

export type RuleKey = `${Operation}_rule`;
export type FieldsKey = `${Exclude<Operation, 'delete'>}_fields`;

export type Mode = 'locked' | 'public' | 'expression';

export interface RuleDraft {
  mode: Mode;
  /** Kept while the mode is another one, so that switching back brings the expression back. */
  text: string;
  /** Null means all fields; an operation without a field list has it undefined. */
  fields: string[] | null | undefined;
}

export type RuleDrafts = Record<Operation, RuleDraft>;

function fieldsOf(value: string): string[] | null {
  if (value === '*') return null;
  try {
    const list = JSON.parse(value) as unknown;
    return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];
  } catch {
    return [];
  }
}

function draft(rule: string | null | undefined, fields: string | undefined): RuleDraft {
  const mode: Mode = rule === null || rule === undefined ? 'locked' : rule === '' ? 'public' : 'expression';
  return { mode, text: rule ?? '', fields: fields === undefined ? undefined : fieldsOf(fields) };
}

export function draftsOf(rules: Rules): RuleDrafts {
  return {
    list: draft(rules.list_rule, rules.list_fields),
    view: draft(rules.view_rule, rules.view_fields),
    create: draft(rules.create_rule, rules.create_fields),
    update: draft(rules.update_rule, rules.update_fields),
    delete: draft(rules.delete_rule, undefined),
  };
}

export function ruleOf(entry: RuleDraft): string | null {
  if (entry.mode === 'locked') return null;
  return entry.mode === 'public' ? '' : entry.text;
}

function fieldsText(fields: string[] | null): string {
  return fields === null ? '*' : JSON.stringify(fields);
}

/** Only what differs from the stored rules: two people may edit different rules at once. */
export function patchOf(drafts: RuleDrafts, stored: Rules): RulesPatch {
  const before = draftsOf(stored);
  const patch: Record<string, string | null> = {};
  for (const operation of OPERATIONS) {
    const now = drafts[operation];
    const then = before[operation];
    if (ruleOf(now) !== ruleOf(then)) patch[`${operation}_rule`] = ruleOf(now);
    if (now.fields === undefined || then.fields === undefined) continue;
    if (fieldsText(now.fields) !== fieldsText(then.fields)) patch[`${operation}_fields`] = fieldsText(now.fields);
  }
  return patch;
}
