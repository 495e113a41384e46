import { ActionIcon, Button, Group, Menu, Select } from '@mantine/core';
import { IconDots, IconPlus, IconShieldStar, IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import type { User } from '@/api/types';
import type { UsersSearch } from '@/app/search';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { SYSTEM_ACCOUNT } from '@/features/accounts/system-account';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { RowLink } from '@/ui/RowLink';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { usersQuery } from './queries';
import { SuperadminBadge, UserState } from './UserBadges';

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
  {
    key: 'role',
    header: 'Role',
    cell: ({ role, account_id }) => (account_id === SYSTEM_ACCOUNT ? <SuperadminBadge /> : <span className="mono">{role}</span>),
  },
  { key: 'state', header: 'State', cell: (user) => <UserState user={user} /> },
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
    <Group gap={4} wrap="nowrap">
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size={32} aria-label="More ways to create a user">
            <IconDots size={18} stroke={1.6} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconShieldStar size={16} />}
            renderRoot={(props) => <Link to="/users/new-superadmin" search={true} {...props} />}
          >
            Create superadmin
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Button leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link to="/users/new" search={true} {...props} />}>
        Create user
      </Button>
    </Group>
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
        <ScopeNote />
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
        <EmptyState icon={<IconUsers size={32} stroke={1.5} />} title="No users found">
          No user matches the search and filters.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />
      <Outlet />
    </Page>
  );
}
