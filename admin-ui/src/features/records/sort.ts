/** The sort of a list as the API takes it: `title,-created_at`. */

export const DEFAULT_SORT = '-created_at';
const MOST_KEYS = 8;

export interface SortKey {
  name: string;
  descending: boolean;
}

export function sortKeys(sort: string): SortKey[] {
  return sort
    .split(',')
    .filter((part) => part !== '')
    .map((part) => ({ name: part.replace(/^[-+]/, ''), descending: part.startsWith('-') }));
}

export function sortText(keys: SortKey[]): string {
  return keys.map(({ name, descending }) => (descending ? `-${name}` : name)).join(',');
}

/** What a click on a header does; `add` keeps the keys before it. Ascending, descending, then not at all. */
export function cycled(sort: string, name: string, add: boolean): string {
  const keys = sortKeys(sort);
  const own = keys.find((key) => key.name === name);
  const next: SortKey[] = own?.descending ? [] : [{ name, descending: own !== undefined }];
  if (!add) return sortText(next) || DEFAULT_SORT;
  const changed = own ? keys.flatMap((key) => (key.name === name ? next : [key])) : [...keys, ...next];
  return sortText(changed.slice(0, MOST_KEYS)) || DEFAULT_SORT;
}
