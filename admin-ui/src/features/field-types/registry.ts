/** All field types. A new one is a file beside this and a line here. */
import type { FieldDefinition } from '@/api/types';
import { boolean } from './boolean';
import { computed } from './computed';
import { date } from './date';
import { datetime } from './datetime';
import type { FieldType } from './definition';
import type { FieldTypeName } from './draft';
import { email } from './email';
import { file } from './file';
import { json } from './json';
import { number } from './number';
import { reference } from './reference';
import { text } from './text';
import { url } from './url';

/** In the order in which they are offered. */
const TYPES: Record<FieldTypeName, FieldType> = { text, number, boolean, datetime, date, email, url, json, reference, file, computed };

export const FIELD_TYPE_NAMES = Object.keys(TYPES) as FieldTypeName[];

export function fieldType(name: FieldTypeName): FieldType {
  return TYPES[name];
}

/** The type that the values of a field have: for a computed field, that of its results. */
export function valueType(field: FieldDefinition): FieldType {
  const type = fieldType(field.type);
  return type.valueType ? fieldType(type.valueType(field)) : type;
}

export function isEditable(field: FieldDefinition): boolean {
  return fieldType(field.type).editable;
}

/** The collection that a field refers to, or null. */
export function targetOf(field: FieldDefinition): string | null {
  return fieldType(field.type).target?.(field) ?? null;
}

/** Whether its words can be searched as they are stored. */
export function hasWords(field: FieldDefinition): boolean {
  return fieldType(field.type).searchable && !field.encrypted;
}
