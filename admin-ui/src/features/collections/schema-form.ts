/** The schema editor's state and its way to and from the server's field definitions. */
import { ApiError, type FieldErrors } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import { optionsOf, type OptionTexts, optionTexts } from './field-options';

export interface FieldDraft {
  /** Stable while rows are moved; never sent. */
  key: string;
  name: string;
  type: FieldDefinition['type'];
  required: boolean;
  unique: boolean;
  /** The default as typed; empty means none. */
  defaultText: string;
  collection: string | null;
  on_delete: FieldDefinition['on_delete'];
  pii: boolean;
  mask_type: FieldDefinition['mask_type'];
  index: boolean;
  searchable: boolean;
  encrypted: boolean;
  options: OptionTexts;
  expression: string;
  return_type: FieldDefinition['return_type'];
  /** The stored definition of a field that already exists. */
  stored: FieldDefinition | null;
}

/** The types that a full-text index takes. */
export const SEARCHABLE = ['text', 'email', 'url'];
/** The types that can be stored encrypted. */
export const ENCRYPTABLE = ['text', 'json'];

let counter = 0;
function nextKey(): string {
  counter += 1;
  return `field-${counter}`;
}

export function newField(): FieldDraft {
  return {
    key: nextKey(),
    name: '',
    type: 'text',
    required: false,
    unique: false,
    defaultText: '',
    collection: null,
    on_delete: null,
    pii: false,
    mask_type: null,
    index: false,
    searchable: false,
    encrypted: false,
    options: {},
    expression: '',
    return_type: null,
    stored: null,
  };
}

function defaultToText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function draftOf(field: FieldDefinition): FieldDraft {
  return {
    key: nextKey(),
    name: field.name,
    type: field.type,
    required: field.required ?? false,
    unique: field.unique ?? false,
    defaultText: defaultToText(field.default),
    collection: field.collection ?? null,
    on_delete: field.on_delete ?? null,
    pii: field.pii ?? false,
    mask_type: field.mask_type ?? null,
    index: field.index ?? false,
    searchable: field.searchable ?? false,
    encrypted: field.encrypted ?? false,
    options: optionTexts(field.options),
    expression: field.expression ?? '',
    return_type: field.return_type ?? null,
    stored: field,
  };
}

/** Numbers, booleans and JSON are sent as such; what cannot be read goes as text, for the server to judge. */
export function parseDefault(type: string, text: string): unknown {
  if (text === '') return null;
  if (type === 'number' || type === 'boolean' || type === 'json' || type === 'file') {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  return text;
}

export function definitionOf(draft: FieldDraft): FieldDefinition {
  const reference = draft.type === 'reference';
  const computed = draft.type === 'computed';
  return {
    ...draft.stored,
    name: draft.name.trim(),
    type: draft.type,
    required: !computed && draft.required,
    unique: !computed && draft.unique,
    index: !computed && draft.index,
    searchable: SEARCHABLE.includes(draft.type) && draft.searchable,
    encrypted: ENCRYPTABLE.includes(draft.type) && draft.encrypted,
    default: computed ? null : parseDefault(draft.type, draft.defaultText),
    options: optionsOf(draft.type, draft.options, draft.stored?.options),
    collection: reference ? draft.collection : null,
    on_delete: reference ? draft.on_delete : null,
    pii: draft.pii,
    mask_type: draft.pii ? draft.mask_type : null,
    expression: computed ? draft.expression : null,
    return_type: computed ? draft.return_type : null,
  };
}

/** The same fields for another collection. */
export function copiesOf(fields: FieldDefinition[]): FieldDraft[] {
  return fields.map((field) => ({ ...draftOf(field), stored: null }));
}

/** The fields that get another name, by their old one; null when there is none. */
export function renamesOf(drafts: FieldDraft[]): Record<string, string> | null {
  const renamed = drafts.flatMap(({ stored, name }) => (stored && name.trim() !== stored.name ? [[stored.name, name.trim()] as const] : []));
  return renamed.length === 0 ? null : Object.fromEntries(renamed);
}

/** The messages for the field that was sent at this position, by attribute. */
export function errorsAt(error: unknown, index: number): Record<string, string> {
  return error instanceof ApiError ? messagesAt(error.fields, index) : {};
}

/** The same of messages by path. */
export function messagesAt(fields: FieldErrors, index: number): Record<string, string> {
  const found: Record<string, string> = {};
  if (index < 0) return found;
  for (const [path, messages] of Object.entries(fields)) {
    const match = /^(?:schema|fields)(?:\[(\d+)\]|\.(\d+))(?:\.([\w.]+))?$/.exec(path);
    if (match && Number(match[1] ?? match[2]) === index) found[match[3] ?? 'name'] = messages.join(' ');
  }
  return found;
}

/** Whether the schema editor shows this message itself. */
export function isSchemaPath(path: string): boolean {
  return /^(schema|fields)[[.]\d+/.test(path);
}

export function move<T>(list: readonly T[], from: number, to: number): T[] {
  const moved = list[from];
  if (moved === undefined || to < 0 || to >= list.length) return [...list];
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), moved, ...rest.slice(to)];
}
