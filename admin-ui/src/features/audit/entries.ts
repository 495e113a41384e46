/** The trail has a row for each column that changed; people read it by entry. */
import type { AuditRow } from '@/api/types';

export interface AuditChange {
  name: string;
  before: string | null;
  after: string | null;
}

/** One thing that somebody did. */
export interface AuditEntry {
  /** The id of its newest row; newer entries have greater ones. */
  id: number;
  operation: string;
  table: string;
  recordId: string;
  accountId: string;
  /** An e-mail address, `anonymous` or `system`. */
  who: string;
  when: string;
  changes: AuditChange[];
  /** The row with what all rows of the entry share. */
  row: AuditRow;
}

/** Entries in the order of their rows, newest first. The rows of an entry follow each other and share its checksum. */
export function entriesOf(rows: readonly AuditRow[]): AuditEntry[] {
  const entries = new Map<string, AuditEntry>();
  const seen = new Set<number>();
  for (const row of rows) {
    // Pages overlap when entries were added between them.
    if (seen.has(row.id)) continue;
    seen.add(row.id);
    const entry = entries.get(row.checksum) ?? {
      id: row.id,
      operation: row.operation,
      table: row.table_name,
      recordId: row.record_id,
      accountId: row.account_id,
      who: row.user_email ?? row.user_name,
      when: row.occurred_at,
      changes: [],
      row,
    };
    entries.set(row.checksum, entry);
    // The trail is read backwards, the columns of an entry are not.
    if (row.column_name !== '') entry.changes.unshift({ name: row.column_name, before: row.old_value ?? null, after: row.new_value ?? null });
  }
  return [...entries.values()];
}

const COLLECTION_PREFIX = 'col_';

/** The collection whose records a table holds; null for the tables of the server. */
export function collectionOf(table: string): string | null {
  return table.startsWith(COLLECTION_PREFIX) ? table.slice(COLLECTION_PREFIX.length) : null;
}

export function tableOf(collection: string): string {
  return COLLECTION_PREFIX + collection;
}

/** Changes that say something: the server keeps the others of every record itself. */
export function tellingChanges({ table, changes }: AuditEntry): AuditChange[] {
  const kept = ['id', 'account_id', 'created_at', 'created_by', 'updated_at', 'updated_by'];
  return collectionOf(table) === null ? changes : changes.filter(({ name }) => !kept.includes(name));
}
