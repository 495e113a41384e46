import { describe, expect, it } from 'vitest';
import type { AuditRow } from '@/api/types';
import { entriesOf } from './entries';

const row = (id: number, checksum: string, column_name: string, after: string | null) =>
  ({ id, checksum, column_name, new_value: after, operation: 'UPDATE', user_name: 'system', occurred_at: '2026-01-01T00:00:00Z' }) as AuditRow;

describe('entriesOf', () => {
  it('puts the columns of one change together, in the order of the trail', () => {
    const entries = entriesOf([row(5, 'b', 'views', '2'), row(4, 'b', 'title', 'B'), row(3, 'a', 'title', 'A')]);
    expect(entries.map((entry) => [entry.id, entry.columns.map((column) => column.name)])).toEqual([
      [5, ['title', 'views']],
      [3, ['title']],
    ]);
    expect(entries[0]?.columns[1]).toEqual({ name: 'views', before: null, after: '2' });
  });
  it('shows an entry without columns, by whoever made it', () => {
    expect(entriesOf([row(1, 'x', '', null)])).toMatchObject([{ who: 'system', columns: [] }]);
  });
});
