import { describe, expect, it } from 'vitest';
import { ApiError } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import type { FieldTypeName } from '@/features/field-types/draft';
import { copiesOf, definitionOf, draftOf, errorsAt, move, newField, renamesOf } from './schema-form';

const title = { name: 'title', type: 'text', required: true } as FieldDefinition;

describe('definitionOf', () => {
  it('drops what does not belong to the type', () => {
    const draft = { ...newField(), name: ' a ', collection: 'posts', on_delete: 'cascade', mask_type: 'full' } as const;
    expect(definitionOf(draft)).toMatchObject({ name: 'a', collection: null, on_delete: null, mask_type: null });
  });
  it('sends a default as a value of its type, and leaves to the server what is none', () => {
    const sent = (type: FieldTypeName, defaultText: string) => definitionOf({ ...newField(), type, defaultText }).default;
    expect(sent('text', '5')).toBe('5');
    expect(sent('number', '5')).toBe(5);
    expect(sent('boolean', 'false')).toBe(false);
    expect(sent('json', '{"a":1}')).toEqual({ a: 1 });
    expect(sent('number', 'five')).toBe('five');
    expect(sent('json', '')).toBeNull();
    expect(sent('computed', 'x')).toBeNull();
  });
  it('reveals clashes of unique fields only', () => {
    const draft = { ...newField(), discloses_existence: true };
    expect(definitionOf(draft).discloses_existence).toBe(false);
    expect(definitionOf({ ...draft, unique: true }).discloses_existence).toBe(true);
  });
  it('keeps attributes that the editor does not know', () => {
    const stored = { ...title, options: { hint: 'x' } } as unknown as FieldDefinition;
    expect(definitionOf(draftOf(stored))).toMatchObject({ options: { hint: 'x' } });
  });
});

describe('renamesOf', () => {
  it('names stored fields by their old name, and leaves new ones out', () => {
    expect(renamesOf([draftOf(title), newField()])).toBeNull();
    expect(renamesOf([{ ...draftOf(title), name: ' headline ' }, { ...newField(), name: 'a' }])).toEqual({ title: 'headline' });
  });
});

describe('errorsAt', () => {
  const error = new ApiError({ status: 400, message: 'no', fields: { 'schema[1].name': ['Taken.', 'Bad.'], name: ['x'] } });
  it('finds the messages of one row', () => {
    expect(errorsAt(error, 1)).toEqual({ name: 'Taken. Bad.' });
    expect(errorsAt(error, 0)).toEqual({});
  });
});

describe('copiesOf', () => {
  it('makes new fields of stored ones', () => {
    expect(copiesOf([title])).toMatchObject([{ name: 'title', required: true, stored: null }]);
  });
});

describe('move', () => {
  it('moves and stays inside', () => {
    expect(move(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
    expect(move(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'c', 'b']);
    expect(move(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
  });
});
