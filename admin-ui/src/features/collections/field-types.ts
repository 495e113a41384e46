/** What the UI knows about each field type: its name, its words and how its default is typed. */
import type { FieldDefinition } from '@/api/types';

export const FIELD_TYPES = [
  'text',
  'number',
  'boolean',
  'datetime',
  'date',
  'email',
  'url',
  'json',
  'reference',
  'file',
  'computed',
] as const;

export type FieldType = (typeof FIELD_TYPES)[number];

export const FIELD_TYPE_LABELS: Record<FieldType, string> = {
  text: 'Text',
  number: 'Number',
  boolean: 'Boolean',
  datetime: 'Date and time',
  date: 'Date',
  email: 'E-mail',
  url: 'URL',
  json: 'JSON',
  reference: 'Reference',
  file: 'File',
  computed: 'Computed',
};

/** A value of an attribute, and what it is called here. */
interface Choice<Attribute extends 'return_type' | 'on_delete' | 'mask_type'> {
  value: NonNullable<FieldDefinition[Attribute]>;
  label: string;
}

/** What a computed field can have as its value. */
export const RETURN_TYPES: Choice<'return_type'>[] = [
  { value: 'text', label: 'Text' },
  { value: 'number', label: 'Number' },
  { value: 'boolean', label: 'Boolean' },
  { value: 'datetime', label: 'Date and time' },
];

export const ON_DELETE: Choice<'on_delete'>[] = [
  { value: 'cascade', label: 'Delete this record too' },
  { value: 'set_null', label: 'Clear this field' },
  { value: 'restrict', label: 'Refuse the deletion' },
];

export const MASK_TYPES: Choice<'mask_type'>[] = [
  { value: 'full', label: 'Everything' },
  { value: 'email', label: 'E-mail' },
  { value: 'phone', label: 'Phone number' },
  { value: 'ssn', label: 'Social security number' },
  { value: 'name', label: 'Name' },
  { value: 'custom', label: 'Custom' },
];

export const SYSTEM_FIELDS = ['id', 'account_id', 'created_at', 'created_by', 'updated_at', 'updated_by'] as const;

export function isFieldType(type: string): type is FieldType {
  return (FIELD_TYPES as readonly string[]).includes(type);
}
