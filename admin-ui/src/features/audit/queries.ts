import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { AuditPage, Verified } from '@/api/types';

export interface AuditFilter {
  operation?: string;
  table_name?: string;
  record_id?: string;
  user_id?: string;
  account_id?: string;
  from_date?: string;
  to_date?: string;
}

export const auditQuery = (filter: AuditFilter, skip: number, limit: number) =>
  queryOptions({
    queryKey: ['audit', filter, skip, limit],
    queryFn: ({ signal }) => api.get<AuditPage>('/audit-logs', { query: { ...filter, skip, limit }, signal }),
    placeholderData: keepPreviousData,
  });

/** Rows of the trail in a request: most entries have five to twenty. */
const ROWS_PER_PAGE = 400;

/** Newest first, in pages of rows. */
export const trailQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'trail', filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<AuditPage>('/audit-logs', { query: { ...filter, skip: pageParam, limit: ROWS_PER_PAGE }, signal }),
    initialPageParam: 0,
    getNextPageParam: ({ skip, items, total }) => (skip + items.length < total ? skip + items.length : undefined),
    placeholderData: keepPreviousData,
  });

export const verify = () => api.get<Verified>('/audit-logs/verify');

export type Format = 'csv' | 'json' | 'pdf';

/** The rows that fit, as the content of a file. JSON comes parsed, a PDF in base64. */
export async function exported(format: Format, filter: AuditFilter): Promise<BlobPart> {
  const answer = await api.get<unknown>('/audit-logs/export', { query: { ...filter, format } });
  if (format === 'json') return JSON.stringify(answer, null, 2);
  if (format === 'csv') return String(answer);
  return Uint8Array.from(atob(String(answer)), (character) => character.charCodeAt(0));
}
