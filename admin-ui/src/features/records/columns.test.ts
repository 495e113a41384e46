import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { arrange, columnsOf, DEFAULT_LAYOUT, defaultColumns, SELECT_WIDTH, shifted } from './columns';

const fields = [
  { name: 'title', type: 'text' },
  { name: 'meta', type: 'json' },
] as FieldDefinition[];

describe('columns', () => {
  it('puts pinned columns first, one after another', () => {
    const shown = arrange(columnsOf(fields), ['title', 'id', 'meta'], { ...DEFAULT_LAYOUT, pinned: ['id', 'meta'], widths: { id: 100 } });
    expect(shown.map(({ name, left }) => [name, left])).toEqual([
      ['id', SELECT_WIDTH],
      ['meta', SELECT_WIDTH + 100],
      ['title', null],
    ]);
  });
  it('forgets columns whose field is gone', () => {
    expect(arrange(columnsOf(fields), ['old', 'title'], DEFAULT_LAYOUT).map((column) => column.name)).toEqual(['title']);
  });
  it('shows a first screenful by default', () => {
    expect(defaultColumns(fields)).toEqual(['id', 'title', 'meta', 'account_name', 'created_at']);
  });
  it('moves a column by one and stays inside', () => {
    expect(shifted(['a', 'b', 'c'], 'c', -1)).toEqual(['a', 'c', 'b']);
    expect(shifted(['a', 'b'], 'b', 1)).toEqual(['a', 'b']);
  });
});
