/** A record to begin a test with: every field is there, with a value of its type. */
import type { FieldDefinition } from '@/api/types';

const SAMPLES: Record<string, unknown> = {
  text: '',
  number: 0,
  boolean: false,
  datetime: '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  email: 'ann@example.com',
  url: 'https://example.com',
  json: {},
  reference: '',
  file: {},
};

export function sampleRecord(fields: FieldDefinition[], createdBy: string): string {
  const own = fields.map((field) => [field.name, SAMPLES[field.type] ?? ''] as const);
  return JSON.stringify({ ...Object.fromEntries(own), account_id: '', created_by: createdBy }, null, 2);
}
