import { SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { clockTime, formatNumber } from '@/ui/format';
import { Chart } from './Chart';
import { intervalsOf } from './metrics';
import { samplesQuery } from './queries';

const rate = (value: number) => `${value >= 10 || value === 0 ? formatNumber(Math.round(value)) : value.toFixed(1)}/s`;

/** Connections and what they are told, while one looks. */
export function RealtimeNow() {
  const samples = useQuery(samplesQuery);
  const intervals = samples.data && intervalsOf(samples.data);
  const label = (at: number) => clockTime(at).slice(0, 8);
  return (
    <section aria-label="Realtime">
      <Stack gap="sm">
        <div>
          <Title order={2}>
            <Link to="/live" style={{ color: 'inherit' }}>
              Realtime
            </Link>
          </Title>
          <Text c="dimmed" fz="sm">
            The last ten minutes, as far as this page was open.
          </Text>
        </div>
        <ErrorPanel error={samples.error} onRetry={() => void samples.refetch()} />
        {intervals ? (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
            <Chart
              title="Connections"
              names={['keep up', 'behind']}
              bars={intervals.map(({ at, current, lagging }) => ({ label: label(at), parts: [current, lagging] }))}
              format={formatNumber}
            />
            <Chart title="Deliveries" names={['frames a second']} bars={intervals.map((interval) => ({ label: label(interval.at), parts: [interval.rate] }))} format={rate} />
          </SimpleGrid>
        ) : (
          <Skeleton h={185} />
        )}
      </Stack>
    </section>
  );
}
