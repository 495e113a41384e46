import { describe, expect, it } from 'vitest';
import type { AuditRow } from '@/api/types';
import { collectionOf, entriesOf, tellingChanges } from './entries';
import { storyOf } from './story';

const row = (id: number, checksum: string, column_name: string, after: string | null, more: Partial<AuditRow> = {}) =>
  ({
    id,
    checksum,
    column_name,
    new_value: after,
    operation: 'UPDATE',
    table_name: 'col_posts',
    record_id: '0b0e7e5c-3c7a-4b53-9d4f-3f4cfb0f8a11',
    account_id: 'a',
    user_name: 'system',
    occurred_at: '2026-01-01T00:00:00Z',
    ...more,
  }) as AuditRow;

describe('entriesOf', () => {
  it('puts the columns of one change together, in the order of the trail', () => {
    const entries = entriesOf([row(5, 'b', 'views', '2'), row(4, 'b', 'title', 'B'), row(3, 'a', 'title', 'A')]);
    expect(entries.map((entry) => [entry.id, entry.changes.map((change) => change.name)])).toEqual([
      [5, ['title', 'views']],
      [3, ['title']],
    ]);
    expect(entries[0]?.changes[1]).toEqual({ name: 'views', before: null, after: '2' });
  });
  it('shows an entry without columns, by the user who made it', () => {
    expect(entriesOf([row(1, 'x', '', null)])).toMatchObject([{ who: 'system', changes: [] }]);
  });
  it('takes a row once, however often pages overlap', () => {
    expect(entriesOf([row(5, 'b', 'views', '2'), row(5, 'b', 'views', '2')])[0]?.changes).toHaveLength(1);
  });
  it('knows what the server keeps of records itself', () => {
    const [entry] = entriesOf([row(2, 'b', 'title', 'B'), row(1, 'b', 'updated_at', 'now')]);
    expect(entry && tellingChanges(entry).map(({ name }) => name)).toEqual(['title']);
    expect([collectionOf('col_posts'), collectionOf('users')]).toEqual(['posts', null]);
  });
});

describe('storyOf', () => {
  const story = (rows: AuditRow[], title?: string) => {
    const [entry] = entriesOf(rows);
    if (!entry) throw new Error('no entry');
    const { verb, name, context } = storyOf(entry, title);
    return [verb, name, context].filter(Boolean).join(' ');
  };
  it('names a record by what the entry itself says of it', () => {
    expect(story([row(1, 'a', 'title', 'On bread', { operation: 'CREATE' })])).toBe('created On bread in posts');
    expect(story([row(1, 'a', 'title', null, { operation: 'DELETE', old_value: 'On bread' })])).toBe('deleted On bread in posts');
  });
  it('falls back to a title that was looked up, then to the id', () => {
    expect(story([row(1, 'a', 'views', '2')], 'On bread')).toBe('updated On bread in posts');
    expect(story([row(1, 'a', 'views', '2')])).toBe('updated …fb0f8a11 in posts');
  });
  it('tells of users, keys and sign-ins in their own words', () => {
    expect(story([row(1, 'a', 'email', 'ada@example.com', { operation: 'CREATE', table_name: 'users' })])).toBe('created user ada@example.com');
    expect(story([row(1, 'a', 'email', 'ada@example.com', { operation: 'LOGIN_FAILED', table_name: 'users' })])).toBe('failed to sign in as ada@example.com');
    expect(story([row(1, 'a', 'format', 'csv', { operation: 'EXPORT', table_name: 'audit_log', record_id: '' })])).toBe('exported the audit trail');
  });
});
