import { Button, Group } from '@mantine/core';
import { IconBuilding, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import type { Account } from '@/api/types';
import type { ListSearch } from '@/app/search';
import { CopyText } from '@/ui/CopyText';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { RowLink } from '@/ui/RowLink';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { accountsQuery } from './queries';

const route = getRouteApi('/app/accounts');
const PAGE_SIZE = 25;

const columns: Column<Account>[] = [
  {
    key: 'name',
    header: 'Name',
    sortable: true,
    cell: ({ id, name }) => (
      <RowLink to="/accounts/$id" params={{ id }} search={true}>
        {name}
      </RowLink>
    ),
  },
  { key: 'slug', wide: true, header: 'Slug', cell: ({ slug }) => <span className="mono">{slug}</span> },
  { key: 'account_code', header: 'Code', sortable: true, cell: ({ account_code }) => <span className="mono">{account_code}</span> },
  { key: 'id', wide: true, header: 'Id', cell: ({ id }) => <CopyText value={id} /> },
  { key: 'created_at', wide: true, header: 'Created', sortable: true, cell: ({ created_at }) => <TimeText value={created_at} /> },
];

export function AccountsPage() {
  const { page = 1, search = '', sort = '-created_at' } = route.useSearch();
  const navigate = route.useNavigate();
  const descending = sort.startsWith('-');
  const list = useQuery(
    accountsQuery({
      page,
      page_size: PAGE_SIZE,
      search: search || undefined,
      sort_by: sort.replace('-', ''),
      sort_order: descending ? 'desc' : 'asc',
    }),
  );
  const update = (patch: ListSearch) =>
    void navigate({ to: '/accounts', search: (before) => ({ ...before, page: undefined, ...patch }), replace: true });
  const create = (
    <Button leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link to="/accounts/new" search={true} {...props} />}>
      Create account
    </Button>
  );
  return (
    <Page crumbs={[{ label: 'Accounts' }]} action={create} flush>
      <Group p="xs" px="md">
        <SearchBox label="Search accounts" value={search} onChange={(text) => update({ search: text || undefined })} />
      </Group>
      <DataTable
        error={list.error}
        onRetry={() => void list.refetch()}
        label="Accounts"
        columns={columns}
        rows={list.data?.items}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => update({ sort: next })}
        onOpen={({ id }) => void navigate({ to: '/accounts/$id', params: { id }, search: true })}
      />
      {list.data?.total === 0 && (
        <EmptyState icon={<IconBuilding size={32} stroke={1.5} />} title="Nothing found">
          No account has “{search}” in its name, slug or code.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />
      <Outlet />
    </Page>
  );
}
