/** The trail has a row for each column; people read it by entry. */
import type { AuditRow } from '@/api/types';

export interface Entry {
  id: number;
  operation: string;
  who: string;
  when: string;
  columns: { name: string; before: string | null; after: string | null }[];
}

/** Rows of one entry stand together and share its checksum. */
export function entriesOf(rows: readonly AuditRow[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const row of rows) {
    const entry = entries.get(row.checksum) ?? {
      id: row.id,
      operation: row.operation,
      who: row.user_email ?? row.user_name,
      when: row.occurred_at,
      columns: [],
    };
    entries.set(row.checksum, entry);
    // The trail is read backwards, the columns of an entry are not.
    if (row.column_name !== '') entry.columns.unshift({ name: row.column_name, before: row.old_value ?? null, after: row.new_value ?? null });
  }
  return [...entries.values()];
}
