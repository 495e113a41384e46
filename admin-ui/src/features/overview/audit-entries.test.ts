import { describe, expect, it } from 'vitest';
import type { AuditRow } from '@/api/types';
import { entriesOf, tableLabel } from './audit-entries';

const row = (id: number, request: string | null, column: string, record = 'r') =>
  ({ id, request_id: request, operation: 'UPDATE', table_name: 'col_posts', record_id: record, column_name: column, user_email: null, user_name: 'cli', occurred_at: 't' }) as AuditRow;

describe('recent entries', () => {
  it('are one for each thing that was done', () => {
    const entries = entriesOf([row(5, 'b', 'title'), row(4, 'b', 'views'), row(3, 'b', 'title', 's'), row(2, null, 'title'), row(1, null, 'title')]);
    expect(entries.map(({ id, columns }) => [id, columns])).toEqual([[5, ['title', 'views']], [3, ['title']], [2, ['title']], [1, ['title']]]);
    expect(entries[0]).toMatchObject({ who: 'cli', table: 'col_posts' });
    expect(tableLabel('col_posts')).toBe('posts');
    expect(tableLabel('users')).toBe('users');
  });
});
