import { Button, Group, Select, Switch } from '@mantine/core';
import { IconListSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { RequestEntry } from '@/api/types';
import type { RequestsSearch } from '@/app/search';
import { CopyText } from '@/ui/CopyText';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { formatMilliseconds } from '@/ui/format';
import { Page } from '@/ui/Page';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { requestsQuery } from './queries';
import { StatusText } from './StatusText';

const route = getRouteApi('/app/requests');

const columns: Column<RequestEntry>[] = [
  { key: 'at', wide: true, header: 'Time', cell: ({ at }) => <TimeText value={at} /> },
  { key: 'status', header: 'Status', cell: ({ status }) => <StatusText status={status} /> },
  { key: 'method', header: 'Method', cell: ({ method }) => <span className="mono">{method}</span> },
  { key: 'path', header: 'Path', cell: ({ path }) => <span className="mono" title={path}>{path}</span> },
  { key: 'milliseconds', header: 'Took', numeric: true, cell: ({ milliseconds }) => formatMilliseconds(milliseconds) },
  { key: 'address', wide: true, header: 'Address', cell: ({ address }) => <span className="mono">{address ?? '–'}</span> },
  { key: 'correlation_id', header: 'Correlation id', cell: ({ correlation_id }) => <CopyText value={correlation_id} /> },
];

const STATUSES = [
  { value: '2xx', label: 'Fine (2xx)' },
  { value: '4xx', label: 'Refused (4xx)' },
  { value: '5xx', label: 'Failed (5xx)' },
];
const SLOW = [10, 100, 1_000].map((value) => ({ value: String(value), label: `at least ${String(value)} ms` }));

export function RequestsPage() {
  const { method, status, path = '', slow } = route.useSearch();
  const navigate = route.useNavigate();
  const [live, setLive] = useState(true);
  const filter = { method, status, path: path || undefined, min_milliseconds: slow };
  const list = useInfiniteQuery(requestsQuery(filter, live));
  const update = (patch: RequestsSearch) => void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const rows = list.data?.pages.flatMap((page) => page.items);
  return (
    <Page crumbs={[{ label: 'Requests' }]} flush>
      <Group className="sb-toolbar" p="xs" px="md" gap="xs">
        <SearchBox label="Search paths" value={path} onChange={(text) => update({ path: text || undefined })} />
        <Select
          aria-label="Method"
          placeholder="Any method"
          clearable
          w={140}
          data={['GET', 'POST', 'PUT', 'PATCH', 'DELETE']}
          value={method ?? null}
          onChange={(value) => update({ method: value ?? undefined })}
        />
        <Select aria-label="Status" placeholder="Any status" clearable w={150} data={STATUSES} value={status ?? null} onChange={(value) => update({ status: value ?? undefined })} />
        <Select
          aria-label="Time taken"
          placeholder="Any time"
          clearable
          w={160}
          data={SLOW}
          value={slow === undefined ? null : String(slow)}
          onChange={(value) => update({ slow: value === null ? undefined : Number(value) })}
        />
        <Switch label="Follow" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
      </Group>
      <DataTable
        label="Requests"
        columns={columns}
        rows={rows}
        rowKey={({ number }) => number}
        minWidth={900}
        error={list.error}
        onRetry={() => void list.refetch()}
      />
      {rows?.length === 0 && (
        <EmptyState icon={<IconListSearch size={32} stroke={1.5} />} title="No such requests">
          The last two thousand requests of the API are remembered, since the server started.
        </EmptyState>
      )}
      {list.hasNextPage && (
        <Group justify="center" p="md">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show older requests
          </Button>
        </Group>
      )}
    </Page>
  );
}
