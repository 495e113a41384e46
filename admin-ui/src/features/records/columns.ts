/** Which columns the table shows: all of them can be chosen, a first screenful is by default. */
import { useLocalStorage } from '@mantine/hooks';
import type { FieldDefinition } from '@/api/types';

export interface Column {
  name: string;
  /** The field type, or `id`, `instant`, `account`, `user` for what the server sets. */
  kind: string;
  sortable: boolean;
}

const SYSTEM: Column[] = [
  { name: 'id', kind: 'id', sortable: true },
  { name: 'account_name', kind: 'account', sortable: false },
  { name: 'account_id', kind: 'id', sortable: false },
  { name: 'created_at', kind: 'instant', sortable: true },
  { name: 'created_by', kind: 'id', sortable: true },
  { name: 'updated_at', kind: 'instant', sortable: true },
  { name: 'updated_by', kind: 'id', sortable: true },
];

export function columnsOf(fields: FieldDefinition[]): Column[] {
  const own = fields.map((field) => ({
    name: field.name,
    kind: field.type,
    sortable: !['json', 'file'].includes(field.type),
  }));
  const [id, ...rest] = SYSTEM;
  return [...(id ? [id] : []), ...own, ...rest];
}

export function defaultColumns(fields: FieldDefinition[]): string[] {
  return ['id', ...fields.slice(0, 6).map((field) => field.name), 'account_name', 'created_at'];
}

export function useColumns(collection: string, fields: FieldDefinition[]) {
  const [chosen, setChosen] = useLocalStorage<string[] | null>({
    key: `snackbase.columns.${collection}`,
    defaultValue: null,
    getInitialValueInEffect: false,
  });
  const all = columnsOf(fields);
  const names = chosen ?? defaultColumns(fields);
  return { all, shown: all.filter((column) => names.includes(column.name)), setChosen };
}
