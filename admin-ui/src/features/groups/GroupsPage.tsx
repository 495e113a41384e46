import { Button, Group as Row } from '@mantine/core';
import { IconPlus, IconUsersGroup } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import type { Group } from '@/api/types';
import type { ListSearch } from '@/app/search';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { formatNumber } from '@/ui/format';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { RowLink } from '@/ui/RowLink';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { groupsQuery } from './queries';

const route = getRouteApi('/app/groups');
const PAGE_SIZE = 25;

const columns: Column<Group>[] = [
  {
    key: 'name',
    header: 'Name',
    cell: ({ id, name }) => (
      <RowLink to="/groups/$id" params={{ id }} search={true} mono>
        {name}
      </RowLink>
    ),
  },
  { key: 'description', wide: true, header: 'Description', cell: ({ description }) => description ?? '–' },
  { key: 'account_code', header: 'Account', cell: ({ account_code }) => <span className="mono">{account_code}</span> },
  { key: 'member_count', header: 'Members', numeric: true, cell: ({ member_count }) => formatNumber(member_count) },
  { key: 'created_at', wide: true, header: 'Created', cell: ({ created_at }) => <TimeText value={created_at} /> },
];

export function GroupsPage() {
  const { page = 1, search = '', account } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(groupsQuery({ page, page_size: PAGE_SIZE, search: search || undefined, account_id: account }));
  const update = (patch: ListSearch) =>
    void navigate({ to: '/groups', search: (before) => ({ ...before, page: undefined, ...patch }), replace: true });
  const create = (
    <Button leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link to="/groups/new" search={true} {...props} />}>
      Create group
    </Button>
  );
  const filtered = search !== '' || account !== undefined;
  const empty = list.data?.total === 0;
  return (
    <Page crumbs={[{ label: 'Groups' }]} action={!(empty && !filtered) && create} flush>
      {!(empty && !filtered) && (
        <Row p="xs" px="md" gap="xs">
          <SearchBox label="Search groups" value={search} onChange={(text) => update({ search: text || undefined })} />
          <ScopeNote />
        </Row>
      )}
      <DataTable
        error={list.error}
        onRetry={() => void list.refetch()}
        label="Groups"
        columns={columns}
        rows={list.data?.items}
        rowKey={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/groups/$id', params: { id }, search: true })}
      />
      {empty && (
        <EmptyState icon={<IconUsersGroup size={32} stroke={1.5} />} title={filtered ? 'No groups found' : 'No groups yet'} action={!filtered && create}>
          A group holds users of one account. Rules test membership with @has_group('editors'). Members of pii_access see personal data unmasked.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />
      <Outlet />
    </Page>
  );
}
