/** The filter builder's conditions and their way to and from the text that the API takes. */
import type { FieldDefinition } from '@/api/types';
import type { Operator } from '@/features/field-types/definition';
import { quoted } from '@/features/field-types/parts/filters';
import { hasWords, valueType } from '@/features/field-types/registry';

export const OPERATOR_LABELS: Record<Operator, string> = {
  '=': 'is',
  '!=': 'is not',
  '>': 'is more than',
  '>=': 'is at least',
  '<': 'is less than',
  '<=': 'is at most',
  contains: 'contains',
  starts: 'begins with',
  ends: 'ends with',
  in: 'is one of',
  empty: 'has no value',
  filled: 'has a value',
};

export interface Condition {
  field: string;
  operator: Operator;
  /** As typed; several values are separated by commas. */
  value: string;
}

export interface Filter {
  join: '&&' | '||';
  conditions: Condition[];
}

/** The fields that the server sets. */
const SYSTEM: FieldDefinition[] = [
  { name: 'id', type: 'text' },
  { name: 'created_at', type: 'datetime' },
  { name: 'updated_at', type: 'datetime' },
  { name: 'created_by', type: 'text' },
  { name: 'updated_by', type: 'text' },
  { name: 'account_id', type: 'text' },
];

/** Every field one can filter by. */
export function filterFields(fields: FieldDefinition[]): FieldDefinition[] {
  return [...fields.filter((field) => !field.encrypted), ...SYSTEM];
}

/** The field of a condition; a name that is not known here is compared as text. */
export function fieldNamed(fields: FieldDefinition[], name: string): FieldDefinition {
  return fields.find((field) => field.name === name) ?? { name, type: 'text' };
}

/** What was typed as part of a pattern: `%`, `_` and `\` stand for themselves. */
export function patternOf(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

function conditionText({ field, operator, value }: Condition, fields: FieldDefinition[]): string {
  const { literal } = valueType(fieldNamed(fields, field));
  switch (operator) {
    case 'contains':
      return `${field} ~ ${quoted(`%${patternOf(value)}%`)}`;
    case 'starts':
      return `${field} ~ ${quoted(`${patternOf(value)}%`)}`;
    case 'ends':
      return `${field} ~ ${quoted(`%${patternOf(value)}`)}`;
    case 'in':
      return `${field} IN (${value.split(',').map((part) => literal(part.trim())).join(', ')})`;
    case 'empty':
      return `${field} IS NULL`;
    case 'filled':
      return `${field} IS NOT NULL`;
    default:
      return `${field} ${operator} ${literal(value)}`;
  }
}

export function filterText(filter: Filter, fields: FieldDefinition[]): string {
  return filter.conditions.map((condition) => conditionText(condition, fields)).join(` ${filter.join} `);
}

/** More would make a search slow. */
const MAX_SEARCHED_FIELDS = 8;

/** Narrows a filter by another one. */
export function both(first: string, second: string): string {
  const parts = [first, second].filter((part) => part.trim() !== '');
  return parts.length < 2 ? (parts[0] ?? '') : parts.map((part) => (part.includes('||') ? `(${part})` : part)).join(' && ');
}

/** A search for part of any of the fields that hold words. */
export function searchText(text: string, fields: FieldDefinition[]): string {
  const typed = text.trim();
  if (typed === '') return '';
  return searchable(fields)
    .map((field) => `${field.name} ~ ${quoted(`%${patternOf(typed)}%`)}`)
    .join(' || ');
}

export function searchable(fields: FieldDefinition[]): FieldDefinition[] {
  return fields.filter(hasWords).slice(0, MAX_SEARCHED_FIELDS);
}
