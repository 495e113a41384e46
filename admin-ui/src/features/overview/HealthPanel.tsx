import { Skeleton, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { DashboardStats } from '@/api/types';
import { formatBytes, formatNumber, plural } from '@/ui/format';
import { healthQuery, readyQuery, realtimeNowQuery } from './queries';
import classes from './Overview.module.css';

interface Line {
  name: string;
  /** Undefined until it is known. */
  value: string | undefined;
  wrong?: boolean;
}

/** Whether all is well, and what is not. */
export function HealthPanel({ stats }: { stats: DashboardStats | undefined }) {
  const health = useQuery(healthQuery);
  const ready = useQuery(readyQuery);
  const realtime = useQuery(realtimeNowQuery).data;
  const jobs = stats?.jobs_by_status;
  const dead = (jobs?.dead ?? 0) + (jobs?.failed ?? 0);
  const database = ready.error ? 'unreachable' : ready.data?.database;
  const size = stats && formatBytes(stats.system_health.storage_usage_mb * 1024 * 1024);
  const lines: Line[] = [
    { name: 'Server', value: health.error ? 'unreachable' : health.data && `${health.data.status}, version ${health.data.version}`, wrong: health.error !== null },
    { name: 'Database', value: database && size ? `${database}, ${size}` : undefined, wrong: database !== undefined && database !== null && database !== 'connected' },
    { name: 'Audit trail', value: health.data && (health.data.audit_logging_enabled ? 'on' : 'switched off'), wrong: health.data?.audit_logging_enabled === false },
    { name: 'Realtime', value: realtime && realtimeWords(realtime.connections, realtime.lagging), wrong: (realtime?.lagging ?? 0) > 0 },
    { name: 'Background jobs', value: jobs && `${formatNumber(jobs.pending + jobs.running + jobs.retrying)} to do${dead > 0 ? `, ${formatNumber(dead)} failed` : ''}`, wrong: dead > 0 },
  ];
  return (
    <section className="sb-panel" aria-label="Health">
      <header>
        <Title order={2}>Health</Title>
      </header>
      {lines.map(({ name, value, wrong = false }) => (
        <div key={name} className={classes.fact}>
          <span className={classes.label}>
            {wrong ? (
              <IconAlertTriangle size={16} stroke={1.6} role="img" aria-label="Look at this" color="var(--sb-danger-text)" />
            ) : (
              <IconCircleCheck size={16} stroke={1.6} role="img" aria-label="Fine" color="var(--sb-accent-text)" />
            )}
            {name}
          </span>
          {value === undefined ? (
            <Skeleton h={14} w={96} />
          ) : (
            <Text span c="dimmed" fz="sm" className="tabular ellipsis">
              {value}
            </Text>
          )}
        </div>
      ))}
    </section>
  );
}

function realtimeWords(connections: number, lagging: number): string {
  return `${plural(connections, 'connection')}${lagging > 0 ? `, ${formatNumber(lagging)} behind` : ''}`;
}
