import { SimpleGrid } from '@mantine/core';
import type { DashboardStats } from '@/api/types';
import { formatBytes, formatNumber } from '@/ui/format';
import { Figure } from './Figure';

const DAYS: Record<DashboardStats['range'], string> = { '7d': '7 days', '30d': '30 days', '90d': '90 days' };

/** What there is, and what of it is new. */
export function Figures({ stats }: { stats: DashboardStats | undefined }) {
  const show = (count: number | undefined) => (count === undefined ? undefined : formatNumber(count));
  const fresh = (count: number | undefined) => (stats && count !== undefined ? `${formatNumber(count)} new in ${DAYS[stats.range]}` : undefined);
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: 6 }} spacing="sm">
      <Figure label="Collections" value={show(stats?.total_collections)} to="/collections" note={stats && `${formatNumber(stats.public_collections_count)} open to everybody`} />
      <Figure label="Records" value={show(stats?.total_records)} />
      <Figure label="Accounts" value={show(stats?.total_accounts)} to="/accounts" note={fresh(stats?.new_accounts_7d)} />
      <Figure label="Users" value={show(stats?.total_users)} to="/users" note={fresh(stats?.new_users_7d)} />
      <Figure label="Open sessions" value={show(stats?.active_sessions)} />
      <Figure label="Database" value={stats && formatBytes(stats.system_health.storage_usage_mb * 1024 * 1024)} note={stats?.system_health.database_status} />
    </SimpleGrid>
  );
}
