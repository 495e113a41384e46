import { describe, expect, it } from 'vitest';
import openapi from '../../../openapi.json?raw';
import type { FieldDefinition } from '@/api/types';
import type { FieldTypeName } from './draft';
import { FIELD_TYPE_NAMES, fieldType, valueType } from './registry';

interface Described {
  components: { schemas: { FieldDefinition: { properties: Record<string, { enum?: (string | null)[] }> } } };
}
const document = JSON.parse(openapi) as Described;
const { properties } = document.components.schemas.FieldDefinition;

const field = (type: FieldTypeName, more: object = {}): FieldDefinition => ({ name: 'f', type, ...more });

describe('the registry of field types', () => {
  it('has every type that the API knows, and no other', () => {
    expect([...FIELD_TYPE_NAMES].sort()).toEqual(properties.type?.enum?.toSorted());
  });
  it('shows a computed field as what it results in', () => {
    for (const name of properties.return_type?.enum ?? []) {
      if (name !== null) expect(valueType(field('computed', { return_type: name }))).toBe(fieldType(name as FieldTypeName));
    }
    expect(valueType(field('computed')).label).toBe('Text');
  });
  it('offers for each type a filter that it can write', () => {
    for (const name of FIELD_TYPE_NAMES) {
      const { operators, literal } = valueType(field(name));
      expect(operators.length, name).toBeGreaterThan(1);
      expect(literal("it's"), name).toBe(String.raw`'it\'s'`);
    }
  });
  it('takes back the text that it shows of a value', () => {
    const values: Partial<Record<FieldTypeName, unknown>> = {
      text: 'hello',
      number: 4.5,
      boolean: false,
      datetime: '2026-01-31T21:30:05.000Z',
      date: '2026-01-31',
      email: 'ann@example.com',
      url: 'https://example.com',
      json: { a: [1, null] },
      reference: '0b0e7e5c-3c7a-4b53-9d4f-3f4cfb0f8a11',
      file: { path: 'x' },
    };
    for (const name of FIELD_TYPE_NAMES.filter((other) => fieldType(other).editable)) {
      const { toText, fromText } = fieldType(name);
      expect(values, name).toHaveProperty(name);
      expect(fromText(toText(values[name])), name).toEqual({ ok: true, value: values[name] });
    }
  });
});
