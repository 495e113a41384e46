/** A value of the shape that a schema describes. */
import { type ApiDocument, resolved, type Schema } from './document';

const TEXTS: Record<string, string> = {
  'date-time': '2026-05-01T10:00:00.000Z',
  date: '2026-05-01',
  email: 'ann@example.com',
  uri: 'https://example.com',
  uuid: '01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2',
};

export function typeOf(schema: Schema): string {
  const types = [schema.type ?? (schema.properties ? 'object' : 'any')].flat().filter((type) => type !== 'null');
  return types[0] ?? 'any';
}

function textOf(schema: Schema, name: string): string {
  const known = schema.format === undefined ? undefined : TEXTS[schema.format];
  const text = known ?? (name === '' ? 'text' : name.replaceAll('_', ' '));
  return text.padEnd(schema.minLength ?? 0, '.').slice(0, schema.maxLength ?? undefined);
}

function numberOf(schema: Schema): number {
  return Math.min(Math.max(1, schema.minimum ?? 1), schema.maximum ?? Infinity);
}

/** `name` is that of the field, which makes a text of it. Schemas of the server do not contain themselves. */
export function exampleOf(document: ApiDocument, given: Schema | undefined, name = ''): unknown {
  const schema = resolved(document, given);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  switch (typeOf(schema)) {
    case 'object':
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, value]) => [key, exampleOf(document, value, key)]));
    case 'array':
      return [exampleOf(document, schema.items, name)];
    case 'string':
      return textOf(schema, name);
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return true;
    default:
      return {};
  }
}

/** What can be sent as it is: references and files that need not be there are left out, since they have to exist. */
export function draftOf(document: ApiDocument, given: Schema | undefined): Record<string, unknown> {
  const schema = resolved(document, given);
  const exists = (value: Schema) => value.format === 'uuid' || value.properties?.mime_type !== undefined;
  const entries = Object.entries(schema.properties ?? {}).filter(([key, value]) => (schema.required ?? []).includes(key) || !exists(resolved(document, value)));
  return Object.fromEntries(entries.map(([key, value]) => [key, exampleOf(document, value, key)]));
}
