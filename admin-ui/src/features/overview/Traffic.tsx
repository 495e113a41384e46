import { Group, SegmentedControl, SimpleGrid, Skeleton, Stack, Title } from '@mantine/core';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { api } from '@/api/client';
import type { Figures } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatMilliseconds, formatNumber } from '@/ui/format';
import { Chart } from './Chart';
import { spans } from './chart-math';

/** Minutes that are shown, and how many of them make a bar. */
const RANGES = { 60: 1, 360: 6, 1440: 24 } as const;
type Range = keyof typeof RANGES;

const route = getRouteApi('/app/');

const figuresQuery = (range: Range) =>
  queryOptions({
    queryKey: ['figures', range],
    queryFn: ({ signal }) => api.get<Figures>('/admin/figures', { query: { range_minutes: range }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

export function Traffic() {
  const { minutes: range = 60 } = route.useSearch();
  const navigate = route.useNavigate();
  const figures = useQuery(figuresQuery(range));
  const bars = figures.data && spans(figures.data.minutes, RANGES[range]);
  const label = (at: string) => clock.format(new Date(at));
  return (
    <section aria-label="Requests">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2}>
            <Link to="/requests" style={{ color: 'inherit' }}>
              Requests
            </Link>
          </Title>
          <SegmentedControl
            aria-label="Range"
            size="xs"
            data={[
              { value: '60', label: 'Hour' },
              { value: '360', label: '6 hours' },
              { value: '1440', label: 'Day' },
            ]}
            value={String(range)}
            onChange={(next) => void navigate({ search: (before) => ({ ...before, minutes: next === '360' ? 360 : next === '1440' ? 1440 : undefined }), replace: true })}
          />
        </Group>
        <ErrorPanel error={figures.error} onRetry={() => void figures.refetch()} />
        {bars ? (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
            <Chart
              title="Answers"
              names={['fine', 'refused', 'failed']}
              bars={bars.map(({ at, fine, refused, failed }) => ({ label: label(at), parts: [fine, refused, failed] }))}
              format={formatNumber}
            />
            <Chart
              title="Time taken"
              names={['median', 'and up to the 95th percentile']}
              bars={bars.map(({ at, median, p95 }) => ({ label: label(at), parts: [median, Math.max(0, p95 - median)] }))}
              format={formatMilliseconds}
            />
          </SimpleGrid>
        ) : (
          <Skeleton h={185} />
        )}
      </Stack>
    </section>
  );
}
