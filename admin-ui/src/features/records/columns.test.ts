import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '@/api/types';
import { arrange, columnsOf, DEFAULT_LAYOUT, defaultColumns, fittedWidths, SELECT_WIDTH, shifted } from './columns';

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
  it('fits text to its values, between limits, and leaves what somebody chose', () => {
    const all = columnsOf([...fields, { name: 'note', type: 'text' }]);
    const fitted = fittedWidths(all, [{ title: 'x'.repeat(500), note: null, meta: { a: 1 } }, { title: 'y' }]);
    expect(fitted).toEqual({ title: 340, note: 96 });
    const [shown] = arrange(all, ['title'], { ...DEFAULT_LAYOUT, pinned: [], fitted });
    const [chosen] = arrange(all, ['title'], { ...DEFAULT_LAYOUT, pinned: [], fitted, widths: { title: 100 } });
    expect([shown?.width, chosen?.width]).toEqual([340, 100]);
  });
  it('moves a column by one and stays inside', () => {
    expect(shifted(['a', 'b', 'c'], 'c', -1)).toEqual(['a', 'c', 'b']);
    expect(shifted(['a', 'b'], 'b', 1)).toEqual(['a', 'b']);
  });
});
