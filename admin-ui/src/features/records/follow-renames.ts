/** What this browser keeps of a collection follows its fields to their new names. */
import { keptKey } from '@/features/collections/kept';
import { lex } from '@/features/expressions/lexer';
import type { Layout } from './columns';
import { sortKeys, sortText } from './sort';
import type { SavedView } from './toolbar/saved-views';

type Renames = Record<string, string>;

const renamed = (name: string, renames: Renames) => (Object.hasOwn(renames, name) ? (renames[name] ?? name) : name);

/** Only names are replaced: texts and macros stay, and so does what stands behind a point. */
export function filterAfter(filter: string, renames: Renames): string {
  return lex(filter)
    .map(({ kind, text }) => {
      if (kind !== 'name') return text;
      const [first = '', ...path] = text.split('.');
      return [renamed(first, renames), ...path].join('.');
    })
    .join('');
}

function layoutAfter(layout: Layout, renames: Renames): Layout {
  return {
    shown: layout.shown?.map((name) => renamed(name, renames)) ?? null,
    pinned: layout.pinned.map((name) => renamed(name, renames)),
    widths: Object.fromEntries(Object.entries(layout.widths).map(([name, width]) => [renamed(name, renames), width])),
  };
}

export function viewAfter(view: SavedView, renames: Renames): SavedView {
  return {
    ...view,
    sort: sortText(sortKeys(view.sort).map((key) => ({ ...key, name: renamed(key.name, renames) }))),
    filter: filterAfter(view.filter, renames),
    layout: layoutAfter(view.layout, renames),
  };
}

function change<T>(key: string, storage: Pick<Storage, 'getItem' | 'setItem'>, to: (value: T) => T): void {
  const kept = storage.getItem(key);
  if (kept !== null) storage.setItem(key, JSON.stringify(to(JSON.parse(kept) as T)));
}

export function followRenames(collection: string, renames: Renames, storage: Pick<Storage, 'getItem' | 'setItem'> = localStorage): void {
  change<Layout>(keptKey('grid', collection), storage, (layout) => layoutAfter(layout, renames));
  change<SavedView[]>(keptKey('views', collection), storage, (views) => views.map((view) => viewAfter(view, renames)));
}
