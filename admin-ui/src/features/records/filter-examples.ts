import type { FieldDefinition } from '@/api/types';

const BY_TYPE: Record<string, (name: string) => string> = {
  text: (name) => `${name} ~ '%word%'`,
  number: (name) => `${name} >= 10`,
  boolean: (name) => `${name} = true`,
  datetime: (name) => `${name} > '2026-01-01T00:00:00Z'`,
  date: (name) => `${name} >= '2026-01-01'`,
  email: (name) => `${name} ~ '%@example.com'`,
  url: (name) => `${name} IS NOT NULL`,
  reference: (name) => `${name} IS NULL`,
};

/** Filters that work on this very collection. */
export function exampleFilters(fields: FieldDefinition[]): string[] {
  const own = fields.flatMap((field) => BY_TYPE[field.type]?.(field.name) ?? []).slice(0, 3);
  const both = own.length > 1 ? [`${own[0] ?? ''} && ${own[1] ?? ''}`] : [];
  return [...own, ...both, "created_at > '2026-01-01T00:00:00Z'"];
}
