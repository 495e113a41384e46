import { Button, Group, Select } from '@mantine/core';
import { IconPlus, IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import type { User } from '@/api/types';
import type { UsersSearch } from '@/app/search';
import { accountQuery } from '@/features/accounts/queries';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { RowLink } from '@/ui/RowLink';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { YesNo } from '@/ui/YesNo';
import { usersQuery } from './queries';

const route = getRouteApi('/app/users');
const PAGE_SIZE = 25;

const columns: Column<User>[] = [
  {
    key: 'email',
    header: 'E-mail',
    sortable: true,
    cell: ({ id, email }) => (
      <RowLink to="/users/$id" params={{ id }} search={true}>
        {email}
      </RowLink>
    ),
  },
  { key: 'account_name', wide: true, header: 'Account', cell: (user) => accountName(user) },
  { key: 'role', wide: true, header: 'Role', cell: ({ role }) => <span className="mono">{role}</span> },
  { key: 'is_active', header: 'State', cell: ({ is_active }) => <YesNo value={is_active} yes="active" no="deactivated" /> },
  { key: 'email_verified', wide: true, header: 'Address', cell: ({ email_verified }) => <YesNo value={email_verified} yes="verified" no="not verified" /> },
  { key: 'last_login', wide: true, header: 'Last sign-in', sortable: true, cell: ({ last_login }) => <TimeText value={last_login} /> },
  { key: 'created_at', wide: true, header: 'Created', sortable: true, cell: ({ created_at }) => <TimeText value={created_at} /> },
];

function accountName(user: User & { account_name?: string; account_code?: string }) {
  return user.account_name ?? user.account_code ?? '–';
}

export function UsersPage() {
  const { page = 1, search = '', sort = '-created_at', account, role, active } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(
    usersQuery({
      page,
      page_size: PAGE_SIZE,
      search: search || undefined,
      sort,
      account_id: account,
      role_id: role,
      is_active: active === undefined ? undefined : active === 'yes',
    }),
  );
  const update = (patch: UsersSearch) =>
    void navigate({ to: '/users', search: (before) => ({ ...before, page: undefined, ...patch }), replace: true });
  const create = (
    <Button leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link to="/users/new" search={true} {...props} />}>
      Create user
    </Button>
  );
  return (
    <Page crumbs={[{ label: 'Users' }]} action={create} flush>
      <Group className="sb-toolbar" p="xs" px="md" gap="xs">
        <SearchBox label="Search users" value={search} onChange={(text) => update({ search: text || undefined })} />
        <RoleSelect label="" placeholder="Any role" clearable value={role ?? null} onChange={(id) => update({ role: id ?? undefined })} />
        <Select
          aria-label="State"
          placeholder="Any state"
          clearable
          data={[
            { value: 'yes', label: 'Active' },
            { value: 'no', label: 'Deactivated' },
          ]}
          value={active ?? null}
          onChange={(value) => update({ active: value === 'yes' || value === 'no' ? value : undefined })}
        />
        {account && <AccountFilter id={account} onClear={() => update({ account: undefined })} />}
      </Group>
      <DataTable
        error={list.error}
        onRetry={() => void list.refetch()}
        label="Users"
        columns={columns}
        rows={list.data?.items}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => update({ sort: next })}
        onOpen={({ id }) => void navigate({ to: '/users/$id', params: { id }, search: true })}
        minWidth={860}
      />
      {list.data?.total === 0 && (
        <EmptyState icon={<IconUsers size={32} stroke={1.5} />} title="Nobody found">
          No user fits what is searched for.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />
      <Outlet />
    </Page>
  );
}

function AccountFilter({ id, onClear }: { id: string; onClear: () => void }) {
  const account = useQuery(accountQuery(id));
  return (
    <Button variant="default" onClick={onClear}>
      In {account.data?.name ?? 'one account'}: show all
    </Button>
  );
}
