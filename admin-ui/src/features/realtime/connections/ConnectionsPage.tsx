import { Button, Group, Select, Switch, Text } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Outlet } from '@tanstack/react-router';
import { useState } from 'react';
import type { ConnectionView } from '@/api/types';
import type { ConnectionsSearch } from '@/app/search';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatNumber, plural } from '@/ui/format';
import { Page } from '@/ui/Page';
import { RowLink } from '@/ui/RowLink';
import { TimeText } from '@/ui/TimeText';
import { RealtimeTabs } from '../RealtimeTabs';
import { LagText } from './LagText';
import { PROTOCOLS } from './lag';
import { connectionsQuery } from './queries';

const route = getRouteApi('/app/live/connections');

const columns: Column<ConnectionView>[] = [
  {
    key: 'who',
    header: 'Who',
    cell: ({ id, email, opened_by }) => (
      <RowLink to="/live/connections/$id" params={{ id }} search={true}>
        {email ?? 'a visitor'}
        {opened_by && <Text span c="dimmed"> (impersonated)</Text>}
      </RowLink>
    ),
  },
  { key: 'account', wide: true, header: 'Account', cell: ({ account_name }) => account_name ?? '–' },
  { key: 'protocol', wide: true, header: 'Protocol', cell: ({ protocol }) => PROTOCOLS[protocol] ?? protocol },
  { key: 'subscriptions', header: 'Subscribed to', cell: ({ subscriptions }) => <span className="mono">{collectionsOf(subscriptions)}</span> },
  { key: 'lag', header: 'Lag', cell: (connection) => <LagText connection={connection} /> },
  { key: 'sent', wide: true, header: 'Sent', numeric: true, cell: ({ sent }) => formatNumber(sent) },
  { key: 'since', wide: true, header: 'Since', cell: ({ since }) => <TimeText value={since} /> },
  { key: 'address', wide: true, header: 'Address', cell: ({ address }) => <span className="mono">{address ?? '–'}</span> },
];

function collectionsOf(subscriptions: ConnectionView['subscriptions']): string {
  return [...new Set(subscriptions.map(({ collection }) => collection))].join(', ') || 'none';
}

/** The realtime connections of this process, their subscriptions and whether they keep up. */
export function ConnectionsPage() {
  const { account, user, protocol } = route.useSearch();
  const navigate = route.useNavigate();
  const [follow, setFollow] = useState(true);
  const list = useInfiniteQuery(connectionsQuery({ account, user_id: user, protocol }, follow));
  const update = (patch: ConnectionsSearch) => void navigate({ to: '/live/connections', search: (before) => ({ ...before, ...patch }), replace: true });
  const rows = list.data?.pages.flatMap((page) => page.items);
  const total = list.data?.pages[0]?.total;
  return (
    <Page crumbs={[{ label: 'Live', to: '/live' }, { label: 'Connections' }]} flush>
      <RealtimeTabs />
      <Group className="sb-toolbar" p="xs" px="md" gap="xs">
        <Select
          aria-label="Protocol"
          placeholder="Any protocol"
          clearable
          data={Object.entries(PROTOCOLS).map(([value, label]) => ({ value, label }))}
          value={protocol ?? null}
          onChange={(value) => update({ protocol: value ?? undefined })}
        />
        {user !== undefined && (
          <Button variant="default" onClick={() => update({ user: undefined })}>
            One user: show all
          </Button>
        )}
        <ScopeNote />
        <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        <Text c="dimmed" fz="sm" className="tabular" role="status">
          {total !== undefined && plural(total, 'connection')}
        </Text>
      </Group>
      {list.error && <ErrorPanel inset error={list.error} onRetry={() => void list.refetch()} />}
      <DataTable
        label="Connections"
        columns={columns}
        rows={list.error ? [] : rows}
        rowKey={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/live/connections/$id', params: { id }, search: true })}
        minWidth={980}
      />
      {rows?.length === 0 && (
        <EmptyState icon={<IconPlugConnected size={32} stroke={1.5} />} title="No connections">
          Clients that subscribe to this process over WebSocket or server-sent events appear here, with their subscriptions and their lag.
        </EmptyState>
      )}
      {list.hasNextPage && (
        <Group justify="center" p="md">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show older connections
          </Button>
        </Group>
      )}
      <Outlet />
    </Page>
  );
}
