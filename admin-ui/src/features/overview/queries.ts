import { queryOptions } from '@tanstack/react-query';
import { request } from '@/api/client';
import type { Health } from '@/api/types';

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => request<Health>('GET', '/health', { anonymous: true, signal }),
  refetchInterval: 30_000,
});
