/** What the records are called that the grid's references point to: asked for together with each page, kept for the session. */
import { type QueryClient, useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { FieldDefinition, RecordPage, RecordRow } from '@/api/types';
import { collectionQuery } from '@/features/collections/queries';
import { targetOf } from '@/features/field-types/registry';
import { plainTitle, titleField } from './reference';

/** By the id of the record. */
export type TitlesById = ReadonlyMap<string, string>;
/** By the name of the reference field. */
export type Titles = ReadonlyMap<string, TitlesById>;

export interface Reference {
  name: string;
  target: string;
}

/** Beyond this many of one collection the oldest are forgotten. */
const MOST = 5_000;
const NONE: TitlesById = new Map();
const titlesKey = (target: string) => ['titles', target] as const;

export function referencesOf(fields: readonly FieldDefinition[]): Reference[] {
  return fields.flatMap((field) => {
    const target = targetOf(field);
    return target === null ? [] : [{ name: field.name, target }];
  });
}

/** The same map when nothing is new, so that nothing is drawn again. */
export function withTitles(before: TitlesById, found: readonly (readonly [string, string])[]): TitlesById {
  const fresh = found.filter(([id, title]) => before.get(id) !== title);
  if (fresh.length === 0) return before;
  const all = [...before, ...fresh];
  return new Map(all.slice(-MOST));
}

export function rememberTitles(queries: QueryClient, target: string, records: readonly Record<string, unknown>[], field: string | null): void {
  const found = records.flatMap((record) => {
    const title = plainTitle(record, field);
    return title !== null && typeof record.id === 'string' ? [[record.id, title] as const] : [];
  });
  queries.setQueryData<TitlesById>(titlesKey(target), (before = NONE) => withTitles(before, found));
}

/** Puts the ids back in place of the expanded records, and hands those over. */
export function folded(page: RecordPage, references: readonly Reference[]): { page: RecordPage; expanded: Map<string, RecordRow[]> } {
  const expanded = new Map<string, RecordRow[]>();
  const items = page.items.map((item) => {
    const row = { ...item };
    for (const { name, target } of references) {
      const value = row[name];
      if (typeof value !== 'object' || value === null || !('id' in value)) continue;
      const record = value as RecordRow;
      row[name] = record.id;
      expanded.set(target, [...(expanded.get(target) ?? []), record]);
    }
    return row;
  });
  return { page: { ...page, items }, expanded };
}

/** A page as it is kept: with ids, and with what they stand for remembered. */
export async function foldPage(queries: QueryClient, page: RecordPage, references: readonly Reference[]): Promise<RecordPage> {
  const { page: plain, expanded } = folded(page, references);
  await Promise.all(
    [...expanded].map(async ([target, records]) => {
      const collection = await queries.query({ ...collectionQuery(target), staleTime: 'static' });
      rememberTitles(queries, target, records, titleField(collection));
    }),
  );
  return plain;
}

export function useTitles(references: readonly Reference[]): Titles {
  const results = useQueries({
    queries: references.map(({ target }) => ({
      queryKey: titlesKey(target),
      queryFn: () => NONE,
      initialData: NONE,
      staleTime: Infinity,
      // Compared by identity: a map has no parts to share.
      structuralSharing: false,
    })),
    combine: (found) => found.map((result) => result.data),
  });
  return useMemo(() => new Map(references.map(({ name }, index) => [name, results[index] ?? NONE])), [references, results]);
}
