import { Button, Group, Select, Switch } from '@mantine/core';
import { IconListSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Outlet } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { RequestEntry } from '@/api/types';
import type { RequestsSearch } from '@/app/search';
import { CopyText } from '@/ui/CopyText';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { formatMilliseconds } from '@/ui/format';
import { Page } from '@/ui/Page';
import { RowLink } from '@/ui/RowLink';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { isFromUi, requestsQuery } from './queries';
import { reasonFor } from './reasons';
import { StatusText } from './StatusText';

const route = getRouteApi('/app/requests');

const columns: Column<RequestEntry>[] = [
  {
    key: 'at',
    header: 'Time',
    cell: ({ at, number }) => (
      <RowLink to="/requests/$number" params={{ number: String(number) }} search={true}>
        <TimeText value={at} />
      </RowLink>
    ),
  },
  { key: 'status', header: 'Status', cell: ({ status }) => <StatusText status={status} /> },
  { key: 'path', main: true, header: 'Request', cell: ({ method, path }) => <span className="mono" title={`${method} ${path}`}>{method} {path}</span> },
  { key: 'reason', wide: true, header: 'Outcome', cell: (request) => reasonFor(request)?.title ?? '' },
  { key: 'milliseconds', wide: true, header: 'Took', numeric: true, cell: ({ milliseconds }) => formatMilliseconds(milliseconds) },
  { key: 'address', wide: true, header: 'Address', cell: ({ address }) => <span className="mono">{address ?? '–'}</span> },
  { key: 'correlation_id', wide: true, header: 'Correlation id', cell: ({ correlation_id }) => <CopyText value={correlation_id} /> },
];

const STATUSES = [
  { value: '2xx', label: '2xx success' },
  { value: '4xx', label: '4xx refused' },
  { value: '5xx', label: '5xx failed' },
];
const SLOW = [10, 100, 1_000].map((value) => ({ value: String(value), label: `at least ${String(value)} ms` }));

export function RequestsPage() {
  const { method, status, path = '', slow, ui = false } = route.useSearch();
  const navigate = route.useNavigate();
  const [live, setLive] = useState(true);
  const filter = { method, status, path: path || undefined, min_milliseconds: slow };
  const list = useInfiniteQuery(requestsQuery(filter, live));
  const update = (patch: RequestsSearch) => void navigate({ to: '/requests', search: (before) => ({ ...before, ...patch }), replace: true });
  const all = list.data?.pages.flatMap((page) => page.items);
  const rows = ui ? all : all?.filter((request) => !isFromUi(request));
  useEnough(rows?.length ?? ENOUGH_ROWS, list);
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
        <Switch label="Admin UI requests" checked={ui} onChange={(event) => update({ ui: event.currentTarget.checked || undefined })} />
        <Switch label="Follow" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
      </Group>
      <DataTable
        label="Requests"
        columns={columns}
        rows={rows}
        rowKey={({ number }) => number}
        onOpen={({ number }) => void navigate({ to: '/requests/$number', params: { number: String(number) }, search: true })}
        minWidth={900}
        error={list.error}
        onRetry={() => void list.refetch()}
      />
      {rows?.length === 0 && (
        <EmptyState icon={<IconListSearch size={32} stroke={1.5} />} title="No requests found">
          The latest 2,000 requests since the start of the server are kept. Those of this admin UI are hidden unless you show them.
        </EmptyState>
      )}
      {list.hasNextPage && (
        <Group justify="center" p="md">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show older requests
          </Button>
        </Group>
      )}
      <Outlet />
    </Page>
  );
}

/** Fewer visible rows than this ask for another page: most of a page may be hidden. */
const ENOUGH_ROWS = 30;

function useEnough(shown: number, list: { hasNextPage: boolean; isFetching: boolean; fetchNextPage: () => unknown }): void {
  const { hasNextPage, isFetching, fetchNextPage } = list;
  useEffect(() => {
    if (shown < ENOUGH_ROWS && hasNextPage && !isFetching) fetchNextPage();
  }, [shown, hasNextPage, isFetching, fetchNextPage]);
}
