import type { AuditRow } from '@/api/types';

/** One thing that somebody did; the trail has a row for each column of it. */
export interface AuditEntry {
  id: number;
  operation: string;
  table: string;
  recordId: string;
  who: string;
  at: string;
  /** The columns that are told of, in the order of the trail. */
  columns: string[];
}

/** Rows, newest first, put together again. */
export function entriesOf(rows: AuditRow[]): AuditEntry[] {
  const entries = new Map<string, AuditEntry>();
  for (const row of rows) {
    const key = [row.request_id ?? row.id, row.operation, row.table_name, row.record_id].join(' ');
    const known = entries.get(key);
    if (known) known.columns.push(row.column_name);
    else {
      entries.set(key, {
        id: row.id,
        operation: row.operation,
        table: row.table_name,
        recordId: row.record_id,
        who: row.user_email ?? row.user_name,
        at: row.occurred_at,
        columns: [row.column_name],
      });
    }
  }
  return [...entries.values()];
}

/** `col_posts` is the table of the collection `posts`. */
export function tableLabel(table: string): string {
  return table.replace(/^col_/, '');
}
