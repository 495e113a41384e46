/** The rows of a list of any length: only the pages in view are loaded, neighbours by cursor, jumps by number. */
import { type QueryClient, queryOptions, useQueries, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { reread } from '@/api/reread';
import type { RecordPage, RecordRow } from '@/api/types';
import { fetchPage, type ListQuery, type PageQuery } from '../queries';
import { foldPage, type Reference } from '../titles';

export const PAGE_SIZE = 100;
/** Browsers cannot lay out higher elements; a filter reaches the rows beyond. */
export const MOST_ROWS = 900_000;

const pageKey = (collection: string, list: ListQuery, page: number) => ['records', collection, 'page', list, page] as const;

/** A neighbour's cursor is only good while the neighbour itself is. */
function neighbour(queries: QueryClient, collection: string, list: ListQuery, page: number): RecordPage | undefined {
  const state = queries.getQueryState<RecordPage>(pageKey(collection, list, page));
  return state && !state.isInvalidated && state.fetchStatus === 'idle' ? state.data : undefined;
}

export function positionOf(page: number, before: RecordPage | undefined, after: RecordPage | undefined): Partial<PageQuery> {
  if (page === 0) return { cursor: '', include_count: true };
  if (before?.next_cursor) return { cursor: before.next_cursor };
  if (after?.prev_cursor) return { cursor_before: after.prev_cursor };
  return { skip: page * PAGE_SIZE };
}

const pageQuery = (queries: QueryClient, collection: string, list: ListQuery, references: readonly Reference[], page: number) =>
  queryOptions({
    queryKey: pageKey(collection, list, page),
    queryFn: async ({ signal }) => {
      const position = positionOf(
        page,
        neighbour(queries, collection, list, page - 1),
        neighbour(queries, collection, list, page + 1),
      );
      const { sort, filter, search } = list;
      const expand = references.length === 0 ? undefined : references.map(({ name }) => name).join(',');
      const answer = await fetchPage(collection, { ...position, limit: PAGE_SIZE, sort, filter, search, expand }, signal);
      return foldPage(queries, answer, references);
    },
    staleTime: 60_000,
  });

export interface Rows {
  total: number | undefined;
  error: unknown;
  loading: boolean;
  fetching: boolean;
  at: (index: number) => RecordRow | undefined;
  loaded: RecordRow[];
  refetch: () => void;
}

/** `pages` are those in view; the first one is always there, because it knows the total. */
export function useRows(collection: string, list: ListQuery, references: readonly Reference[], pages: readonly number[]): Rows {
  const queries = useQueryClient();
  const wanted = useMemo(() => [...new Set([0, ...pages])], [pages]);
  const results = useQueries({ queries: wanted.map((page) => pageQuery(queries, collection, list, references, page)) });
  const byPage = new Map(wanted.map((page, index) => [page, results[index]?.data]));
  const first = results[0];
  return {
    total: first?.data ? Math.min(first.data.total ?? first.data.items.length, MOST_ROWS) : undefined,
    error: results.find((result) => result.error)?.error ?? null,
    loading: first?.isPending ?? true,
    fetching: results.some((result) => result.isFetching),
    at: (index) => byPage.get(Math.floor(index / PAGE_SIZE))?.items[index % PAGE_SIZE],
    loaded: [...byPage.values()].flatMap((page) => page?.items ?? []),
    refetch: () => reread(queries, ['records', collection, 'page']),
  };
}
