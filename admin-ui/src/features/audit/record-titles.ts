/** The titles of records that entries tell of without naming them: one request for each collection. */
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { RecordPage } from '@/api/types';
import { collectionQuery } from '@/features/collections/queries';
import { quoted } from '@/features/field-types/parts/filters';
import { fetchPage } from '@/features/records/queries';
import { plainTitle, titleField } from '@/features/records/reference';
import { type AuditEntry, collectionOf } from './entries';
import { titleIn } from './story';

/** A page of the API holds no more. */
const MAX_RECORDS = 100;

/** By the id of the record. Those that are gone, or have no title, are left out. */
export function useRecordTitles(entries: readonly AuditEntry[]): ReadonlyMap<string, string> {
  const queries = useQueryClient();
  const wanted = useMemo(() => {
    const ids = new Map<string, Set<string>>();
    for (const entry of entries) {
      const collection = collectionOf(entry.table);
      if (collection === null || entry.recordId === '' || titleIn(entry) !== null) continue;
      const known = ids.get(collection) ?? new Set();
      if (known.size < MAX_RECORDS) ids.set(collection, known.add(entry.recordId));
    }
    return [...ids].map(([collection, set]) => ({ collection, ids: [...set].sort() }));
  }, [entries]);
  return useQueries({
    queries: wanted.map(({ collection, ids }) => ({
      queryKey: ['records', collection, 'titles of', ids],
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<[string, string][]> => {
        const field = titleField(await queries.query({ ...collectionQuery(collection), staleTime: 'static' }));
        if (field === null) return [];
        const filter = `id IN (${ids.map(quoted).join(', ')})`;
        const page: RecordPage = await fetchPage(collection, { limit: MAX_RECORDS, filter, fields: field }, signal);
        return page.items.flatMap((record) => {
          const title = plainTitle(record, field);
          return title === null ? [] : [[record.id, title]];
        });
      },
      staleTime: 60_000,
      retry: false,
    })),
    combine: (results) => new Map(results.flatMap((result) => result.data ?? [])),
  });
}
