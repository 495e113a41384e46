/** A record to begin a test with: every field is there, with a value of its type. */
import type { FieldDefinition } from '@/api/types';
import { valueType } from '@/features/field-types/registry';

export function sampleRecord(fields: FieldDefinition[], createdBy: string): string {
  const own = fields.map((field) => [field.name, valueType(field).sample] as const);
  return JSON.stringify({ ...Object.fromEntries(own), account_id: '', created_by: createdBy }, null, 2);
}
