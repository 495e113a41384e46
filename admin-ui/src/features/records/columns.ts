/** Which columns the grid shows, in which order and how wide: kept in this browser for each collection. */
import { useLocalStorage } from '@mantine/hooks';
import { useMemo } from 'react';
import type { FieldDefinition } from '@/api/types';
import { keptKey } from '@/features/collections/kept';

export interface Column {
  name: string;
  /** The field type, or `id`, `instant`, `account` for what the server sets. */
  kind: string;
  sortable: boolean;
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
}

export const DEFAULT_LAYOUT: Layout = { shown: null, pinned: ['id'], widths: {} };
export const SELECT_WIDTH = 64;
export const NARROWEST = 64;
const WIDEST = 800;

const SYSTEM: Column[] = [
  { name: 'id', kind: 'id', sortable: true },
  { name: 'account_name', kind: 'account', sortable: false },
  { name: 'account_id', kind: 'id', sortable: false },
  { name: 'created_at', kind: 'instant', sortable: true },
  { name: 'created_by', kind: 'id', sortable: true },
  { name: 'updated_at', kind: 'instant', sortable: true },
  { name: 'updated_by', kind: 'id', sortable: true },
];

const WIDTHS: Record<string, number> = { id: 112, number: 136, boolean: 112, instant: 136, datetime: 228, date: 120, account: 136, reference: 176 };

export function columnsOf(fields: FieldDefinition[]): Column[] {
  const own = fields.map((field) => ({
    name: field.name,
    kind: field.type,
    sortable: !['json', 'file'].includes(field.type) && !field.encrypted,
    field,
  }));
  return [...SYSTEM.slice(0, 1), ...own, ...SYSTEM.slice(1)];
}

export function defaultColumns(fields: FieldDefinition[]): string[] {
  return ['id', ...fields.slice(0, 7).map((field) => field.name), 'account_name', 'created_at'];
}

/** Enough for the name of most fields, in the letters of the head, beside its icon and its menu. */
function headWidth(name: string): number {
  return Math.min(208, 64 + name.length * 8);
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
    const width = layout.widths[column.name] ?? Math.max(WIDTHS[column.kind] ?? 208, headWidth(column.name));
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
    reset: () => setLayout(DEFAULT_LAYOUT),
  };
}

export type Columns = ReturnType<typeof useColumns>;
