/** Which records of other collections refer to one: the collections know, the server counts. */
import { useQueries, useQuery } from '@tanstack/react-query';
import type { CollectionListItem, FieldDefinition, RecordRow } from '@/api/types';
import { allCollectionsQuery } from '@/features/collections/all';
import { quoted } from '@/features/field-types/parts/filters';
import { targetOf } from '@/features/field-types/registry';
import { fetchPage } from './queries';
import { plainTitle, titleField } from './reference';

export interface ReferringField {
  collection: string;
  field: string;
  onDelete: FieldDefinition['on_delete'];
  title: string | null;
}

export interface Referrers extends ReferringField {
  /** How many records refer to the one in question. */
  total: number;
  first: { id: string; title: string | null }[];
}

/** How many of each are named. */
const MAX_NAMED = 5;

export function referringFields(target: string, collections: readonly CollectionListItem[]): ReferringField[] {
  return collections.flatMap((collection) =>
    collection.schema
      .filter((field) => targetOf(field) === target)
      .map((field) => ({ collection: collection.name, field: field.name, onDelete: field.on_delete, title: titleField(collection) })),
  );
}

export function referrersFilter(field: string, id: string): string {
  return `${field} = ${quoted(id)}`;
}

/** Undefined while it is asked for; fields that nothing refers by are left out. */
export function useReferrers(target: string, id: string, enabled = true): Referrers[] | undefined {
  const collections = useQuery({ ...allCollectionsQuery, enabled });
  const fields = collections.data ? referringFields(target, collections.data) : [];
  const results = useQueries({
    queries: fields.map((referring) => ({
      queryKey: ['records', referring.collection, 'few', 'referrers', referring.field, id],
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Referrers> => {
        const filter = referrersFilter(referring.field, id);
        const page = await fetchPage(referring.collection, { cursor: '', limit: MAX_NAMED, include_count: true, filter }, signal);
        const first = page.items.map((record: RecordRow) => ({ id: record.id, title: plainTitle(record, referring.title) }));
        return { ...referring, total: page.total ?? first.length, first };
      },
      enabled,
    })),
  });
  if (!collections.data || results.some((result) => result.isPending)) return undefined;
  return results.flatMap(({ data }) => (data && data.total > 0 ? [data] : []));
}
