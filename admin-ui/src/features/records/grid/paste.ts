/** From cells that were copied in a spreadsheet to the values of records. */
import type { FieldDefinition, RecordRow } from '@/api/types';
import { fieldType, isEditable } from '@/features/field-types/registry';
import { parseCells } from '../transfer/csv';
import type { At } from './grid-keys';

export interface PastedRecord {
  id: string;
  data: Record<string, unknown>;
}

export interface Pasted {
  records: PastedRecord[];
  /** How many values will be written. */
  values: number;
  /** What will not be, and why. */
  problems: string[];
}

const MAX_PROBLEMS = 8;

/**
 * The cells fill the grid to the right and down from `at`. Columns that cannot be written are passed over with their
 * cells, and an empty cell clears its field.
 */
export function pastedValues(text: string, at: At, columns: readonly { name: string; field?: FieldDefinition }[], rowAt: (index: number) => RecordRow | undefined): Pasted {
  const records: PastedRecord[] = [];
  const problems: string[] = [];
  let values = 0;
  let beyond = 0;
  for (const [down, cells] of parseCells(text).entries()) {
    const row = rowAt(at.row + down);
    if (!row) {
      beyond += 1;
      continue;
    }
    const data: Record<string, unknown> = {};
    for (const [right, cell] of cells.entries()) {
      const column = columns[at.column + right];
      if (!column) continue;
      if (!column.field || !isEditable(column.field)) {
        problems.push(`${column.name} cannot be written.`);
        continue;
      }
      const parsed = cell === '' ? ({ ok: true, value: null } as const) : fieldType(column.field.type).fromCell(cell);
      if (parsed.ok) data[column.name] = parsed.value;
      else problems.push(`${column.name}: ${parsed.message}`);
    }
    const count = Object.keys(data).length;
    if (count > 0) records.push({ id: row.id, data });
    values += count;
  }
  if (beyond > 0) problems.push(`${beyond} copied rows have no record below the cell.`);
  const distinct = [...new Set(problems)];
  const rest = distinct.length - MAX_PROBLEMS;
  return { records, values, problems: rest > 0 ? [...distinct.slice(0, MAX_PROBLEMS), `And ${rest} more.`] : distinct };
}
