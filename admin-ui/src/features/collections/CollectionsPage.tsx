import { Button, Group, Table } from '@mantine/core';
import { IconDatabase, IconLock, IconPlus, IconWorld } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { CollectionsSearch } from '@/app/search';
import { SampleOffer } from '@/features/sample/SampleOffer';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatNumber } from '@/ui/format';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { SearchBox } from '@/ui/SearchBox';
import { SortHeader } from '@/ui/SortHeader';
import { TableSkeleton } from '@/ui/TableSkeleton';
import { TimeText } from '@/ui/TimeText';
import { collectionsQuery } from './queries';
import { TransferMenu } from './transfer/TransferMenu';

const route = getRouteApi('/app/collections');
const PAGE_SIZE = 25;

export function CreateCollectionButton() {
  return (
    <Button leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link to="/collections/new" {...props} />}>
      Create collection
    </Button>
  );
}

/** What an empty instance offers. */
export function FirstSteps() {
  return (
    <Group gap="xs" justify="center" align="flex-start">
      <CreateCollectionButton />
      <SampleOffer />
    </Group>
  );
}

export function CollectionsPage() {
  const { page = 1, search = '', sort = '-created_at' } = route.useSearch();
  const navigate = route.useNavigate();
  const descending = sort.startsWith('-');
  const sortBy = descending ? sort.slice(1) : sort;
  const list = useQuery(
    collectionsQuery({ page, page_size: PAGE_SIZE, search, sort_by: sortBy, sort_order: descending ? 'desc' : 'asc' }),
  );
  const update = (patch: CollectionsSearch) =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...patch }), replace: true });
  const header = (key: string) => ({
    direction: key === sortBy ? (descending ? ('desc' as const) : ('asc' as const)) : null,
    onSort: () => update({ sort: sort === key ? `-${key}` : key }),
  });
  const empty = list.data?.total === 0;
  return (
    <Page
      crumbs={[{ label: 'Collections' }]}
      action={
        <Group gap={4} wrap="nowrap">
          <TransferMenu />
          <CreateCollectionButton />
        </Group>
      }
      flush
    >
      {empty && !search ? (
        <EmptyState icon={<IconDatabase size={32} stroke={1.5} />} title="No collections yet" action={<FirstSteps />}>
          A collection is a kind of record with its own fields, its own REST and realtime addresses and its own access rules.
        </EmptyState>
      ) : (
        <>
          <Group p="xs" px="md">
            <SearchBox label="Search collections" value={search} onChange={(text) => update({ search: text || undefined })} />
          </Group>
          {list.error && <ErrorPanel inset error={list.error} onRetry={() => void list.refetch()} />}
          {!empty && (list.data ?? list.isPending) && (
            <Table.ScrollContainer minWidth={320} type="native">
              <Table className="sb-table">
                <Table.Thead>
                  <Table.Tr>
                    <SortHeader {...header('name')}>Name</SortHeader>
                    <Table.Th>Access</Table.Th>
                    <Table.Th className="num sb-wide">Fields</Table.Th>
                    <Table.Th className="num">Records</Table.Th>
                    <SortHeader {...header('created_at')} wide>Created</SortHeader>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {list.isPending && <TableSkeleton rows={8} columns={5} />}
                  {list.data?.items.map((item) => (
                    <Row key={item.id} {...item} />
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )}
          {empty && (
            <EmptyState icon={<IconDatabase size={32} stroke={1.5} />} title="Nothing found">
              No collection has “{search}” in its name.
            </EmptyState>
          )}
          <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />
        </>
      )}
    </Page>
  );
}

interface RowProps {
  name: string;
  has_public_access: boolean;
  fields_count: number;
  records_count: number;
  created_at: string;
}

function Row({ name, has_public_access, fields_count, records_count, created_at }: RowProps) {
  const navigate = route.useNavigate();
  const open = () => void navigate({ to: '/collections/$name/records', params: { name }, search: {} });
  return (
    <Table.Tr data-clickable onClick={open}>
      <Table.Td className="ellipsis">
        <Link
          to="/collections/$name/records"
          params={{ name }}
          className="mono"
          style={{ color: 'inherit', fontWeight: 500, textDecoration: 'none' }}
          onClick={(event) => event.stopPropagation()}
        >
          {name}
        </Link>
      </Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap" style={{ whiteSpace: 'nowrap' }} c={has_public_access ? undefined : 'dimmed'}>
          {has_public_access ? <IconWorld size={16} stroke={1.6} aria-hidden /> : <IconLock size={16} stroke={1.6} aria-hidden />}
          {has_public_access ? 'Public in part' : 'Not public'}
        </Group>
      </Table.Td>
      <Table.Td className="num sb-wide">{formatNumber(fields_count)}</Table.Td>
      <Table.Td className="num">{formatNumber(records_count)}</Table.Td>
      <Table.Td className="sb-wide">
        <TimeText value={created_at} />
      </Table.Td>
    </Table.Tr>
  );
}
