/** What can be done with the records of a collection, in the order in which people look for it. */
import type { Operation } from '@/features/rules/rule-state';

const ONE = '/api/v1/records/{collection}/{id}';
const ALL = '/api/v1/records/{collection}';
const BATCH = `${ALL}/batch`;

export interface Entry {
  key: string;
  label: string;
  method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  path: string;
  /** The rule that decides, where it is one of the collection's. */
  rule: Operation;
  /** Said besides what the document says. */
  note?: string;
  /** Query parameters that the request begins with. */
  start?: Record<string, string>;
}

export const ENTRIES: Entry[] = [
  { key: 'list', label: 'List', method: 'get', path: ALL, rule: 'list' },
  {
    key: 'search',
    label: 'Search',
    method: 'get',
    path: ALL,
    rule: 'list',
    note: 'All the words have to occur, in any order and in any searchable field; the last one may be the beginning of a word. It goes together with filter, sort and pages.',
    start: { search: 'bread' },
  },
  { key: 'get', label: 'Get one', method: 'get', path: ONE, rule: 'view' },
  { key: 'create', label: 'Create', method: 'post', path: ALL, rule: 'create' },
  { key: 'change', label: 'Update', method: 'patch', path: ONE, rule: 'update' },
  { key: 'replace', label: 'Replace', method: 'put', path: ONE, rule: 'update' },
  { key: 'delete', label: 'Delete', method: 'delete', path: ONE, rule: 'delete' },
  { key: 'batch-create', label: 'Create many', method: 'post', path: BATCH, rule: 'create', note: 'The rule is evaluated for each record.' },
  { key: 'batch-change', label: 'Update many', method: 'patch', path: BATCH, rule: 'update', note: 'The rule is evaluated for each record.' },
  { key: 'batch-delete', label: 'Delete many', method: 'delete', path: BATCH, rule: 'delete', note: 'The rule is evaluated for each record.' },
  { key: 'aggregate', label: 'Aggregate', method: 'get', path: `${ALL}/aggregate`, rule: 'list', start: { functions: 'count()' } },
];

export const PAGES = [
  { key: 'realtime', label: 'Realtime' },
  { key: 'types', label: 'Types' },
] as const;

export type PageKey = (typeof PAGES)[number]['key'];

export function entryOf(key: string | undefined): Entry | undefined {
  return ENTRIES.find((entry) => entry.key === key);
}
