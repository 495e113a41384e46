/** The filter builder's conditions and their way to and from the text that the API takes. */
import type { FieldDefinition } from '@/api/types';
import { choicesOf } from '@/features/collections/field-options';

export const OPERATORS = ['=', '!=', '>', '>=', '<', '<=', 'contains', 'starts', 'ends', 'in', 'empty', 'filled'] as const;
export type Operator = (typeof OPERATORS)[number];

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

const TEXT: Operator[] = ['contains', '=', '!=', 'starts', 'ends', 'in', 'empty', 'filled'];
const ORDERED: Operator[] = ['=', '!=', '>', '>=', '<', '<=', 'in', 'empty', 'filled'];
const BY_TYPE: Record<string, Operator[]> = {
  number: ORDERED,
  date: ORDERED.filter((operator) => operator !== 'in'),
  datetime: ORDERED.filter((operator) => operator !== 'in'),
  boolean: ['=', '!=', 'empty', 'filled'],
  reference: ['=', '!=', 'in', 'empty', 'filled'],
  json: ['empty', 'filled'],
  file: ['empty', 'filled'],
};

/** What can be asked of a field of this type. */
export function operatorsOf(type: string): Operator[] {
  return BY_TYPE[type] ?? TEXT;
}

export interface FilterField {
  name: string;
  type: string;
  /** The values to choose from, where there is such a list. */
  choices?: string[] | null;
  /** For a reference: the collection it points to. */
  target?: string | null;
}

/** Every field one can filter by, with those that the server sets. */
export function filterFields(fields: FieldDefinition[]): FilterField[] {
  const system = [
    { name: 'id', type: 'text' },
    { name: 'created_at', type: 'datetime' },
    { name: 'updated_at', type: 'datetime' },
    { name: 'created_by', type: 'text' },
    { name: 'updated_by', type: 'text' },
    { name: 'account_id', type: 'text' },
  ];
  const own = fields
    .filter((field) => !field.encrypted)
    .map(({ name, type, options, collection }) => ({ name, type, choices: choicesOf(options), target: collection }));
  return [...own, ...system];
}

export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** What was typed as part of a pattern: `%`, `_` and `\` stand for themselves. */
export function patternOf(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

function literal(value: string, type: string): string {
  if (type === 'number' && /^-?\d+(\.\d+)?$/.test(value)) return value;
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value;
  return quoted(value);
}

function conditionText({ field, operator, value }: Condition, type: string): string {
  switch (operator) {
    case 'contains':
      return `${field} ~ ${quoted(`%${patternOf(value)}%`)}`;
    case 'starts':
      return `${field} ~ ${quoted(`${patternOf(value)}%`)}`;
    case 'ends':
      return `${field} ~ ${quoted(`%${patternOf(value)}`)}`;
    case 'in':
      return `${field} IN (${value.split(',').map((part) => literal(part.trim(), type)).join(', ')})`;
    case 'empty':
      return `${field} IS NULL`;
    case 'filled':
      return `${field} IS NOT NULL`;
    default:
      return `${field} ${operator} ${literal(value, type)}`;
  }
}

export function filterText(filter: Filter, types: Record<string, string>): string {
  return filter.conditions.map((condition) => conditionText(condition, types[condition.field] ?? 'text')).join(` ${filter.join} `);
}

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
  return fields.filter((field) => ['text', 'email', 'url'].includes(field.type) && !field.encrypted).slice(0, 8);
}
