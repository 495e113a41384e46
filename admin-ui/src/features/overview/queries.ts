import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, exchange, request } from '@/api/client';
import type { DashboardRange, DashboardStats, Health } from '@/api/types';
import { sampleOf } from './metrics';

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

/** How many listen at this moment, and how many of them cannot keep up. */
export const realtimeNowQuery = queryOptions({
  queryKey: ['realtime-now'],
  queryFn: async ({ signal }) => sampleOf(await request<string>('GET', '/metrics', { anonymous: true, signal })),
  refetchInterval: 10_000,
});
