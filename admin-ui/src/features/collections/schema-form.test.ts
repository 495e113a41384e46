import { describe, expect, it } from 'vitest';
import { ApiError } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import { definitionOf, describeChanges, draftOf, errorsAt, move, newField, parseDefault } from './schema-form';

const title = { name: 'title', type: 'text', required: true } as FieldDefinition;

describe('parseDefault', () => {
  it('keeps text as it is and reads the rest as JSON', () => {
    expect(parseDefault('text', '5')).toBe('5');
    expect(parseDefault('number', '5')).toBe(5);
    expect(parseDefault('boolean', 'false')).toBe(false);
    expect(parseDefault('json', '{"a":1}')).toEqual({ a: 1 });
  });
  it('leaves what cannot be read to the server', () => {
    expect(parseDefault('number', 'five')).toBe('five');
  });
  it('knows no default', () => {
    expect(parseDefault('json', '')).toBeNull();
  });
});

describe('definitionOf', () => {
  it('drops what does not belong to the type', () => {
    const draft = { ...newField(), name: ' a ', collection: 'posts', on_delete: 'cascade', mask_type: 'full' };
    expect(definitionOf(draft)).toMatchObject({ name: 'a', collection: null, on_delete: null, mask_type: null });
  });
  it('keeps attributes that the editor does not know', () => {
    const stored = { ...title, options: { hint: 'x' } } as unknown as FieldDefinition;
    expect(definitionOf(draftOf(stored))).toMatchObject({ options: { hint: 'x' } });
  });
});

describe('errorsAt', () => {
  const error = new ApiError({ status: 400, message: 'no', fields: { 'schema[1].name': ['Taken.', 'Bad.'], name: ['x'] } });
  it('finds the messages of one row', () => {
    expect(errorsAt(error, 1)).toEqual({ name: 'Taken. Bad.' });
    expect(errorsAt(error, 0)).toEqual({});
  });
});

describe('describeChanges', () => {
  it('is empty for an untouched schema', () => {
    expect(describeChanges([draftOf(title)], [title])).toEqual([]);
  });
  it('names additions and changes', () => {
    const drafts = [{ ...draftOf(title), required: false }, { ...newField(), name: 'views', type: 'number' }];
    expect(describeChanges(drafts, [title])).toEqual(['change required of title', 'add views (number)']);
  });
});

describe('move', () => {
  it('moves by one and stays inside', () => {
    expect(move(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c']);
    expect(move(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
  });
});
