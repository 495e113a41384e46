import type { FieldDefinition } from '@/api/types';
import { fieldType, isEditable } from '@/features/field-types/registry';
import type { AuditEntry } from './entries';

/**
 * The values that the fields of an update had before it, as the API takes them. Left out are fields that are gone, that
 * clients do not write, and whose values the trail does not hold in the clear.
 */
export function valuesBefore({ changes }: AuditEntry, fields: readonly FieldDefinition[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, before } of changes) {
    const field = fields.find((candidate) => candidate.name === name);
    if (!field || !isEditable(field) || field.encrypted) continue;
    if (before === null) {
      values[name] = null;
      continue;
    }
    const parsed = fieldType(field.type).fromCell(before);
    if (parsed.ok) values[name] = parsed.value;
  }
  return values;
}
