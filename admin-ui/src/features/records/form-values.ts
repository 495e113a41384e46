/** The record form's texts and their way to and from the values of the API. */
import type { FieldDefinition } from '@/api/types';
import type { Parsed } from '@/features/field-types/definition';
import { fieldType } from '@/features/field-types/registry';

export type FormValues = Record<string, string>;

export function toText(field: FieldDefinition, value: unknown): string {
  return value === null || value === undefined ? '' : fieldType(field.type).toText(value);
}

/** An empty control means null. */
export function toValue(field: FieldDefinition, text: string): Parsed {
  return text === '' ? { ok: true, value: null } : fieldType(field.type).fromText(text);
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
