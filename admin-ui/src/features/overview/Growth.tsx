import { Group, SegmentedControl, SimpleGrid, Skeleton, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { DashboardRange } from '@/api/types';
import { formatNumber } from '@/ui/format';
import { Chart } from './Chart';
import { statsQuery } from './queries';

const route = getRouteApi('/app/');

const RANGES = [
  { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' },
  { value: '90d', label: '90 days' },
] satisfies { value: DashboardRange; label: string }[];

const days = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** What people did, day by day. */
export function Growth() {
  const { days: range = '7d' } = route.useSearch();
  const navigate = route.useNavigate();
  const series = useQuery(statsQuery(range)).data?.time_series;
  const label = (date: string) => days.format(new Date(date));
  return (
    <section aria-label="Activity">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2}>Activity</Title>
          <SegmentedControl
            aria-label="Days"
            data={RANGES}
            value={range}
            onChange={(next) => void navigate({ search: (before) => ({ ...before, days: next === '7d' ? undefined : next }), replace: true })}
          />
        </Group>
        {series ? (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
            <Chart
              title="Audited changes"
              series={[{ name: 'created', tone: 'main' }, { name: 'changed', tone: 'soft' }, { name: 'deleted', tone: 'danger' }]}
              bars={series.audit_by_operation.map((day) => ({ label: label(day.date), parts: [day.create, day.update, day.delete] }))}
              format={formatNumber}
              least={4}
            />
            <Chart
              title="New"
              series={[{ name: 'users', tone: 'main' }, { name: 'accounts', tone: 'warning' }]}
              bars={series.users_created.map(({ date, count }, index) => ({ label: label(date), parts: [count, series.accounts_created[index]?.count ?? 0] }))}
              format={formatNumber}
              least={4}
            />
          </SimpleGrid>
        ) : (
          <Skeleton h={187} />
        )}
      </Stack>
    </section>
  );
}
