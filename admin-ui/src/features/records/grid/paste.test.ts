import { describe, expect, it } from 'vitest';
import type { FieldDefinition, RecordRow } from '@/api/types';
import { pastedValues } from './paste';

const fields: FieldDefinition[] = [
  { name: 'title', type: 'text' },
  { name: 'views', type: 'number' },
  { name: 'total', type: 'computed', expression: 'views' },
];
const columns = [{ name: 'id' }, ...fields.map((field) => ({ name: field.name, field }))];
const rows = [{ id: 'a' }, { id: 'b' }] as RecordRow[];
const paste = (text: string, column = 1) => pastedValues(text, { row: 0, column }, columns, (index) => rows[index]);

describe('pastedValues', () => {
  it('fills to the right and down, each value by the type of its field', () => {
    expect(paste('One\t1\nTwo\t2.5\n')).toEqual({
      records: [
        { id: 'a', data: { title: 'One', views: 1 } },
        { id: 'b', data: { title: 'Two', views: 2.5 } },
      ],
      values: 4,
      problems: [],
    });
  });
  it('keeps commas and quoted line breaks, and clears by an empty cell', () => {
    expect(paste('"a, b\nc"\t').records).toEqual([{ id: 'a', data: { title: 'a, b\nc', views: null } }]);
  });
  it('says what cannot be written, and what has no place', () => {
    const { records, problems } = paste('x\tmany\t5\ny\nz\nz');
    expect(records).toEqual([{ id: 'a', data: { title: 'x' } }, { id: 'b', data: { title: 'y' } }]);
    expect(problems).toEqual(['views: “many” is not a number.', 'total cannot be written.', '2 copied rows have no record below the cell.']);
    expect(paste('x', 0)).toEqual({ records: [], values: 0, problems: ['id cannot be written.'] });
  });
});
