import { Group, SegmentedControl, SimpleGrid, Skeleton, Stack, Title } from '@mantine/core';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { api } from '@/api/client';
import type { Figures } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatBytes, formatMilliseconds, formatNumber } from '@/ui/format';
import { HeadingLink } from '@/ui/HeadingLink';
import { Chart } from './Chart';
import { latest, type Span, spans, total } from './chart-math';

/** Minutes that are shown, and how many of them make a bar. */
const RANGES = { 60: 1, 360: 6, 1440: 24 } as const;
type Range = keyof typeof RANGES;

const WORDS: Record<Range, string> = { 60: 'Last hour', 360: 'Last 6 hours', 1440: 'Last day' };

const route = getRouteApi('/app/');

const figuresQuery = (range: Range) =>
  queryOptions({
    queryKey: ['figures', range],
    queryFn: ({ signal }) => api.get<Figures>('/admin/figures', { query: { range_minutes: range }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** What the server did, by the minute. */
export function Traffic() {
  const { minutes: range = 60 } = route.useSearch();
  const navigate = route.useNavigate();
  const figures = useQuery(figuresQuery(range));
  return (
    <section aria-label="Traffic">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2}>
            <HeadingLink to="/requests">{WORDS[range]}</HeadingLink>
          </Title>
          <SegmentedControl
            aria-label="Range"
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
        {figures.data && <Charts all={spans(figures.data.minutes, RANGES[range])} />}
        {figures.isPending && <Waiting />}
      </Stack>
    </section>
  );
}

const columns = { base: 1, xs: 2, md: 3 };

function Waiting() {
  return (
    <SimpleGrid cols={columns} spacing="sm" aria-hidden>
      {Array.from({ length: 6 }, (_, index) => (
        <Skeleton key={index} h={187} />
      ))}
    </SimpleGrid>
  );
}

function Charts({ all }: { all: Span[] }) {
  const bars = (parts: (span: Span) => number[]) => all.map((span) => ({ label: clock.format(new Date(span.at)), parts: parts(span) }));
  const errors = total(all, (span) => span.refused + span.failed);
  const slowest = latest(all, (span) => span.p95);
  const size = latest(all, (span) => span.bytes);
  return (
    <SimpleGrid cols={columns} spacing="sm">
      <Chart
        title="Requests"
        summary={formatNumber(total(all, (span) => span.requests))}
        series={[{ name: 'answered', tone: 'main' }]}
        bars={bars(({ requests }) => [requests])}
        format={formatNumber}
        least={4}
      />
      <Chart
        title="Errors"
        summary={errors === 0 ? 'none' : formatNumber(errors)}
        series={[{ name: 'refused (4xx)', tone: 'warning' }, { name: 'failed (5xx)', tone: 'danger' }]}
        bars={bars(({ refused, failed }) => [refused, failed])}
        format={formatNumber}
        least={4}
      />
      <Chart
        title="Time taken"
        summary={slowest === null ? undefined : `p95 ${formatMilliseconds(slowest)}`}
        series={[{ name: 'median', tone: 'main' }, { name: 'more, up to p95', tone: 'soft' }]}
        bars={bars(({ median, p95 }) => [median ?? 0, Math.max(0, (p95 ?? 0) - (median ?? 0))])}
        format={formatMilliseconds}
      />
      <Chart
        title="Realtime connections"
        summary={`${formatNumber(latest(all, (span) => span.connections) ?? 0)} now`}
        series={[{ name: 'at once', tone: 'main' }]}
        bars={bars(({ connections }) => [connections ?? 0])}
        format={formatNumber}
        least={4}
      />
      <Chart
        title="Deliveries"
        summary={formatNumber(total(all, (span) => span.deliveries))}
        series={[{ name: 'events handed out', tone: 'main' }]}
        bars={bars(({ deliveries }) => [deliveries])}
        format={formatNumber}
        least={4}
      />
      <Chart
        title="Database"
        summary={size === null ? undefined : formatBytes(size)}
        series={[{ name: 'size', tone: 'main' }]}
        bars={bars(({ bytes }) => [bytes ?? 0])}
        format={formatBytes}
        base={1024}
      />
    </SimpleGrid>
  );
}
