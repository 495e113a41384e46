import { Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { api } from '@/api/client';
import type { AuditRow } from '@/api/types';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Facts } from '@/ui/Facts';
import { PageDrawer } from '@/ui/PageDrawer';
import { TimeText } from '@/ui/TimeText';
import { operationLabel } from './operations';

const listRoute = getRouteApi('/app/audit');
const route = getRouteApi('/app/audit/$id');

export function AuditDrawer() {
  const { id } = route.useParams();
  const navigate = listRoute.useNavigate();
  const row = useQuery({ queryKey: ['audit', 'one', id], queryFn: ({ signal }) => api.get<AuditRow>(`/audit-logs/${id}`, { signal }) });
  return (
    <PageDrawer title={`Audit row ${id}`} onClose={() => void navigate({ to: '/audit', search: true })}>
      {row.error && <ErrorPanel error={row.error} onRetry={() => void row.refetch()} />}
      {row.isPending && <Skeleton h={320} />}
      {row.data && <Details row={row.data} />}
    </PageDrawer>
  );
}

function Details({ row }: { row: AuditRow }) {
  return (
    <Stack gap="lg">
      <Facts
        items={[
          ['What', operationLabel(row.operation)],
          ['When', <TimeText key="when" value={row.occurred_at} />],
          ['Who', row.user_email ?? row.user_name],
          ['Signed in by', row.extra_metadata?.auth_method ?? '–'],
          ['Address', row.ip_address ?? '–'],
          ['Program', row.user_agent ?? '–'],
          ['Correlation id', row.request_id ? <CopyText key="request" value={row.request_id} /> : '–'],
          ['Table', <span key="table" className="mono">{row.table_name}</span>],
          [
            'Record',
            row.record_id === '' ? (
              '–'
            ) : (
              <Link key="record" to="/audit" search={{ table: row.table_name, record: row.record_id }}>
                {row.record_id}: its history
              </Link>
            ),
          ],
          ['Column', <span key="column" className="mono">{row.column_name}</span>],
          ['Checksum', <CopyText key="checksum" value={row.checksum} />],
        ]}
      />
      <Value label="Before" value={row.old_value} />
      <Value label="After" value={row.new_value} />
    </Stack>
  );
}

function Value({ label, value }: { label: string; value: string | null | undefined }) {
  return (
    <section aria-label={label}>
      <Text fw={500} mb={4}>
        {label}
      </Text>
      {value === null || value === undefined ? <Text c="dimmed">nothing</Text> : <pre className="sb-code">{value}</pre>}
    </section>
  );
}
