/** Which columns the grid shows, in which order and how wide: kept in this browser for each collection. */
import { useLocalStorage } from '@mantine/hooks';
import { createElement, type ReactNode, useCallback, useMemo } from 'react';
import type { FieldDefinition } from '@/api/types';
import { keptKey } from '@/features/collections/kept';
import { fieldType, hasWords, valueType } from '@/features/field-types/registry';
import { shortId } from '@/ui/format';
import { TimeText } from '@/ui/TimeText';
import type { TitlesById } from './titles';

export interface Column {
  name: string;
  sortable: boolean;
  numeric: boolean;
  /** In pixels, as long as nobody chose another one. */
  usualWidth: number;
  /** Never called with null. */
  cell: (value: unknown, titles: TitlesById | undefined) => ReactNode;
  /** Undefined for what the server sets. */
  field?: FieldDefinition;
}

export interface ShownColumn extends Column {
  width: number;
  /** The distance from the left edge at which a pinned column stays. */
  left: number | null;
}

export interface Layout {
  /** The names shown, in their order; null is a first screenful. */
  shown: string[] | null;
  pinned: string[];
  widths: Record<string, number>;
  /** What the values seen last take, where nobody chose a width. */
  fitted?: Record<string, number>;
}

export const DEFAULT_LAYOUT: Layout = { shown: null, pinned: ['id'], widths: {} };
export const SELECT_WIDTH = 64;
export const NARROWEST = 64;
const WIDEST = 800;

const idCell = (value: unknown) => createElement('span', { className: 'mono', title: String(value) }, shortId(String(value)));
const timeCell = (value: unknown) => createElement(TimeText, { value: String(value) });
const nameCell = (value: unknown) => String(value);

const system = (name: string, sortable: boolean, usualWidth: number, cell: Column['cell']): Column => ({ name, sortable, numeric: false, usualWidth, cell });

const ID = system('id', true, 112, idCell);
const SYSTEM: Column[] = [
  system('account_name', false, 136, nameCell),
  system('account_id', false, 112, idCell),
  system('created_at', true, 136, timeCell),
  system('created_by', true, 112, idCell),
  system('updated_at', true, 136, timeCell),
  system('updated_by', true, 112, idCell),
];

function columnOf(field: FieldDefinition): Column {
  const { sortable } = fieldType(field.type);
  const { width, numeric = false, cell } = valueType(field);
  return {
    name: field.name,
    sortable: sortable && !field.encrypted,
    numeric,
    usualWidth: width,
    cell: (value, titles) => cell(value, { field, titles }),
    field,
  };
}

export function columnsOf(fields: FieldDefinition[]): Column[] {
  return [ID, ...fields.map(columnOf), ...SYSTEM];
}

export function defaultColumns(fields: FieldDefinition[]): string[] {
  return ['id', ...fields.slice(0, 7).map((field) => field.name), 'account_name', 'created_at'];
}

/** Enough for the name of most fields, in the letters of the head, beside its icon and its menu. */
function headWidth(name: string): number {
  return Math.min(208, 64 + name.length * 8);
}

/** A letter of the table, and what a cell adds to its text, in pixels. */
const LETTER_WIDTH = 7.6;
const CELL_WIDTH = 40;
const NARROWEST_FITTED = 88;
const WIDEST_FITTED = 340;
const SAMPLE_ROWS = 50;

/** The width that the values of each text column need, from the first rows that were loaded. */
export function fittedWidths(columns: Column[], rows: readonly Record<string, unknown>[]): Record<string, number> {
  const texts = columns.filter(({ field }) => field !== undefined && fieldType(field.type).editable && hasWords(field));
  return Object.fromEntries(
    texts.map(({ name }) => {
      const longest = Math.max(0, ...rows.slice(0, SAMPLE_ROWS).map((row) => (typeof row[name] === 'string' ? row[name].length : 0)));
      const needed = Math.min(WIDEST_FITTED, Math.max(NARROWEST_FITTED, Math.ceil(longest * LETTER_WIDTH) + CELL_WIDTH));
      return [name, Math.max(needed, headWidth(name))];
    }),
  );
}

/** Pinned ones first, each where it sticks. */
export function arrange(all: Column[], names: string[], layout: Layout): ShownColumn[] {
  const known = names.flatMap((name) => all.find((column) => column.name === name) ?? []);
  const ordered = [
    ...known.filter((column) => layout.pinned.includes(column.name)),
    ...known.filter((column) => !layout.pinned.includes(column.name)),
  ];
  let left = SELECT_WIDTH;
  return ordered.map((column) => {
    const width = layout.widths[column.name] ?? layout.fitted?.[column.name] ?? Math.max(column.usualWidth, headWidth(column.name));
    const pinned = layout.pinned.includes(column.name);
    const shown = { ...column, width, left: pinned ? left : null };
    if (pinned) left += width;
    return shown;
  });
}

/** Swaps a column with its neighbour. */
export function shifted(names: string[], name: string, by: -1 | 1): string[] {
  const from = names.indexOf(name);
  const to = from + by;
  const other = names[to];
  if (from < 0 || other === undefined) return names;
  return names.map((entry, index) => (index === from ? other : index === to ? name : entry));
}

export function useColumns(collection: string, fields: FieldDefinition[]) {
  const [stored, setLayout] = useLocalStorage<Layout>({
    key: keptKey('grid', collection),
    defaultValue: DEFAULT_LAYOUT,
    getInitialValueInEffect: false,
  });
  const layout = useMemo(() => ({ ...DEFAULT_LAYOUT, ...stored }), [stored]);
  const all = useMemo(() => columnsOf(fields), [fields]);
  const shown = useMemo(() => arrange(all, layout.shown ?? defaultColumns(fields), layout), [all, fields, layout]);
  const names = shown.map((column) => column.name);
  const change = (patch: Partial<Layout>) => setLayout({ ...layout, ...patch });
  const fit = useCallback(
    (rows: readonly Record<string, unknown>[]) =>
      setLayout((before) => {
        const fitted = fittedWidths(all, rows);
        return JSON.stringify(fitted) === JSON.stringify(before.fitted) ? before : { ...before, fitted };
      }),
    [all, setLayout],
  );
  return {
    all,
    shown,
    layout,
    setLayout,
    toggle: (name: string) =>
      change({ shown: names.includes(name) ? names.filter((other) => other !== name) : [...names, name] }),
    move: (name: string, by: -1 | 1) => change({ shown: shifted(names, name, by) }),
    pin: (name: string) =>
      change({
        shown: names,
        pinned: layout.pinned.includes(name) ? layout.pinned.filter((other) => other !== name) : [...layout.pinned, name],
      }),
    resize: (name: string, width: number) =>
      change({ widths: { ...layout.widths, [name]: Math.round(Math.min(WIDEST, Math.max(NARROWEST, width))) } }),
    reset: () => setLayout({ ...DEFAULT_LAYOUT, fitted: layout.fitted }),
    /** Takes the widths that the first loaded rows need, once they are there. */
    fit,
  };
}

export type Columns = ReturnType<typeof useColumns>;
