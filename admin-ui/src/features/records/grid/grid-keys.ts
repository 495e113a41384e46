/** Where the keys lead from a cell, and what else they ask for. */

export interface At {
  row: number;
  column: number;
}

export type Command = { go: At } | 'open' | 'edit' | 'select' | 'select-all' | 'copy' | 'delete' | { type: string };

interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

interface Size {
  rows: number;
  columns: number;
  /** Rows that fit. */
  page: number;
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, value));
}

function destination(key: string, end: boolean, at: At, size: Size): At | null {
  switch (key) {
    case 'ArrowUp':
      return { ...at, row: at.row - 1 };
    case 'ArrowDown':
      return { ...at, row: at.row + 1 };
    case 'ArrowLeft':
      return { ...at, column: at.column - 1 };
    case 'ArrowRight':
      return { ...at, column: at.column + 1 };
    case 'PageUp':
      return { ...at, row: at.row - size.page };
    case 'PageDown':
      return { ...at, row: at.row + size.page };
    case 'Home':
      return end ? { row: 0, column: 0 } : { ...at, column: 0 };
    case 'End':
      return end ? { row: size.rows - 1, column: size.columns - 1 } : { ...at, column: size.columns - 1 };
    default:
      return null;
  }
}

export function commandOf(event: Key, at: At, size: Size): Command | null {
  const control = event.ctrlKey || event.metaKey;
  const go = event.altKey ? null : destination(event.key, control, at, size);
  if (go) return { go: { row: clamp(go.row, size.rows), column: clamp(go.column, size.columns) } };
  if (event.altKey) return null;
  if (control) {
    if (event.key === 'Enter') return 'open';
    if (event.key === 'a') return 'select-all';
    return event.key === 'c' ? 'copy' : null;
  }
  if (event.key === 'Enter' || event.key === 'F2') return 'edit';
  if (event.key === ' ') return 'select';
  if (event.key === 'Delete') return 'delete';
  return event.key.length === 1 ? { type: event.key } : null;
}
