/** Walks a whole list by cursor, for files and for work on everything that matches. */
import type { RecordRow } from '@/api/types';
import { fetchPage } from '../queries';
import { csvLine } from './csv';

interface Walk {
  collection: string;
  sort: string;
  filter: string;
  search?: string;
  /** Null is all of them. */
  fields: string[] | null;
  signal: AbortSignal;
  onPage: (rows: RecordRow[], total: number) => void;
}

export async function walkRecords({ collection, sort, filter, search, fields, signal, onPage }: Walk): Promise<void> {
  let cursor: string | null | undefined = '';
  let total = 0;
  while (typeof cursor === 'string' && !signal.aborted) {
    const first: boolean = cursor === '';
    const query = { limit: 100, cursor, sort, filter, search, fields: fields?.join(',') };
    const page = await fetchPage(collection, first ? { ...query, include_count: true } : query, signal);
    if (first) total = page.total ?? page.items.length;
    onPage(page.items, total);
    cursor = page.has_more ? page.next_cursor : null;
  }
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function csvRows(rows: RecordRow[], columns: string[]): string {
  return rows.map((row) => `${csvLine(columns.map((name) => cellText(row[name])))}\r\n`).join('');
}

export function csvHead(columns: string[]): string {
  return `${csvLine(columns)}\r\n`;
}

export function picked(row: RecordRow, columns: string[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
}
