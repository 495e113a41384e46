import { expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { worthSaying } from './use-live-problems';

const problem = (field: string, code: string) => ({ field, code, message: `about ${field}` });

it('says what is wrong, and leaves out what is only not there yet', () => {
  const problems = [
    problem('name', 'name_taken'),
    problem('schema[0].name', 'field_name_reserved'),
    problem('schema[1].collection', 'reference_collection_required'),
    problem('schema[2].options.min', 'option_invalid'),
    problem('schema', 'missing'),
    problem('rename.views', 'field_name_duplicate'),
  ];
  const views = { name: 'views' } as FieldDefinition;
  const drafts = [{ name: 'id', stored: null }, { name: 'author', stored: null }, { name: ' ', stored: null }, { name: 'title', stored: views }];
  expect(worthSaying({ problems }, drafts)).toEqual({
    name: ['about name'],
    'schema[0].name': ['about schema[0].name'],
    'schema[3].name': ['about rename.views'],
  });
});
