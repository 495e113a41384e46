import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, exchange, request } from '@/api/client';
import type { DashboardRange, DashboardStats, Health } from '@/api/types';
import { EVERY, KEPT, type RealtimeSample, sampleOf } from './metrics';

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => request<Health>('GET', '/health', { anonymous: true, signal }),
  refetchInterval: 30_000,
});

/** Whether the server can serve; it says so with 503, too, which is an answer and no failure. */
export const readyQuery = queryOptions({
  queryKey: ['ready'],
  queryFn: async ({ signal }) => (await exchange('GET', '/ready', { signal })).body as Health,
  refetchInterval: 30_000,
});

export const statsQuery = (range: DashboardRange) =>
  queryOptions({
    queryKey: ['stats', range],
    queryFn: ({ signal }) => api.get<DashboardStats>('/dashboard/stats', { query: { range }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });

const SAMPLES = ['realtime-samples'];

/** What was seen since the overview was opened: the server itself keeps no history of this. */
export const samplesQuery = queryOptions({
  queryKey: SAMPLES,
  queryFn: async ({ client, signal }) => {
    const text = await request<string>('GET', '/metrics', { anonymous: true, signal });
    const before = client.getQueryData<RealtimeSample[]>(SAMPLES) ?? [];
    return [...before, sampleOf(text, Date.now())].slice(-KEPT);
  },
  refetchInterval: EVERY,
  structuralSharing: false,
});
