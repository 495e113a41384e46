/** The schema editor's state and its way to and from the server's field definitions. */
import { ApiError, type FieldErrors } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import type { FieldDraft } from '@/features/field-types/draft';
import { optionsOf, optionTexts } from '@/features/field-types/options';
import { fieldType } from '@/features/field-types/registry';

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
    discloses_existence: false,
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
    discloses_existence: field.discloses_existence ?? false,
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

export function definitionOf(draft: FieldDraft): FieldDefinition {
  const type = fieldType(draft.type);
  return {
    ...draft.stored,
    name: draft.name.trim(),
    type: draft.type,
    required: draft.required,
    unique: draft.unique,
    discloses_existence: draft.unique && draft.discloses_existence,
    index: draft.index,
    searchable: type.searchable && draft.searchable,
    encrypted: type.encryptable && draft.encrypted,
    options: optionsOf(type, draft.options, draft.stored?.options),
    collection: null,
    on_delete: null,
    pii: draft.pii,
    mask_type: draft.pii ? draft.mask_type : null,
    expression: null,
    return_type: null,
    ...type.attributes(draft),
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
