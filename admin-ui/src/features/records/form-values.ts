/** The record form's texts and their way to and from the values of the API. */
import type { FieldDefinition } from '@/api/types';
import { parseJson } from '@/ui/JsonInput';

export type FormValues = Record<string, string>;

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** What a datetime-local control shows for an instant, in the browser's zone. */
export function toLocalInput(value: string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return '';
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function toText(field: FieldDefinition, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field.type === 'json' || field.type === 'file') return JSON.stringify(value, null, 2);
  if (typeof value !== 'string') return JSON.stringify(value);
  return field.type === 'datetime' ? toLocalInput(value) : value;
}

type Converted = { ok: true; value: unknown } | { ok: false; message: string };

/** An empty control means null. What only the server can judge is sent as it is. */
export function toValue(field: FieldDefinition, text: string): Converted {
  if (text === '') return { ok: true, value: null };
  switch (field.type) {
    case 'number': {
      const number = Number(text);
      return Number.isFinite(number) ? { ok: true, value: number } : { ok: false, message: 'Not a number.' };
    }
    case 'boolean':
      return { ok: true, value: text === 'true' };
    case 'json':
    case 'file':
      return parseJson(text);
    case 'datetime': {
      const date = new Date(text);
      return Number.isNaN(date.getTime()) ? { ok: true, value: text } : { ok: true, value: date.toISOString() };
    }
    default:
      return { ok: true, value: text };
  }
}

/** Computed fields are the server's own. */
export function isEditable(field: FieldDefinition): boolean {
  return (field.type) !== 'computed';
}

export function initialValues(fields: FieldDefinition[], record: Record<string, unknown> | null): FormValues {
  return Object.fromEntries(fields.map((field) => [field.name, toText(field, record ? record[field.name] : field.default)]));
}

interface Collected {
  data: Record<string, unknown>;
  errors: Record<string, string>;
}

/**
 * A new record carries what was filled in, so that defaults apply to the rest. A change carries only
 * the touched fields: the others keep exactly what is stored, also where the control shows less of it.
 */
export function collect(fields: FieldDefinition[], values: FormValues, initial: FormValues, create: boolean): Collected {
  const data: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const text = values[field.name] ?? '';
    const untouched = text === (initial[field.name] ?? '');
    if (create ? text === '' && untouched : untouched) continue;
    const converted = toValue(field, text);
    if (converted.ok) data[field.name] = converted.value;
    else errors[field.name] = converted.message;
  }
  return { data, errors };
}
