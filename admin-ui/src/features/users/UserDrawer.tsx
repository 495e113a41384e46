import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { UserDetail } from '@/api/types';
import { SYSTEM_ACCOUNT } from '@/features/accounts/system-account';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Facts } from '@/ui/Facts';
import { PageDrawer } from '@/ui/PageDrawer';
import { TimeText } from '@/ui/TimeText';
import { YesNo } from '@/ui/YesNo';
import { DeleteUser } from './DeleteUser';
import { NewSuperadminForm } from './NewSuperadminForm';
import { NewUserForm } from './NewUserForm';
import { PasswordForm } from './PasswordForm';
import { userQuery } from './queries';
import { SuperadminBadge } from './UserBadges';
import { UserForm } from './UserForm';
import { UserSessions } from './UserSessions';
import { VerifyButtons } from './VerifyButtons';

const listRoute = getRouteApi('/app/users');
const route = getRouteApi('/app/users/$id');

function useClose() {
  const navigate = listRoute.useNavigate();
  return () => void navigate({ to: '/users', search: true });
}

export function NewUserDrawer() {
  const close = useClose();
  const { account } = listRoute.useSearch();
  return (
    <PageDrawer title="New user" onClose={close}>
      <NewUserForm account={account ?? null} onDone={close} />
    </PageDrawer>
  );
}

export function NewSuperadminDrawer() {
  const close = useClose();
  return (
    <PageDrawer title="New superadmin" onClose={close}>
      <NewSuperadminForm onDone={close} />
    </PageDrawer>
  );
}

export function UserDrawer() {
  const { id } = route.useParams();
  const close = useClose();
  const user = useQuery(userQuery(id));
  return (
    <PageDrawer title={user.data?.email ?? 'User'} onClose={close}>
      {user.error && <ErrorPanel error={user.error} onRetry={() => void user.refetch()} />}
      {user.isPending && <Skeleton h={320} />}
      {user.data && <Details user={user.data} onGone={close} />}
    </PageDrawer>
  );
}

function Details({ user, onGone }: { user: UserDetail; onGone: () => void }) {
  return (
    <Stack gap="lg">
      <Facts
        items={[
          [
            'Account',
            <Link key="account" to="/accounts/$id" params={{ id: user.account_id }}>
              {user.account_name}
            </Link>,
          ],
          ...(user.account_id === SYSTEM_ACCOUNT ? [['Access', <SuperadminBadge key="access" />] as [string, ReactNode]] : []),
          ['Id', <CopyText key="id" value={user.id} />],
          ['Groups', user.groups.length > 0 ? user.groups.join(', ') : 'none'],
          ['E-mail address', <YesNo key="verified" value={user.email_verified} yes="verified" no="not verified" />],
          ['Last sign-in', <TimeText key="login" value={user.last_login} />],
          ['Created', <TimeText key="created" value={user.created_at} />],
        ]}
      />
      {!user.email_verified && <VerifyButtons id={user.id} />}
      <UserForm key={`${user.email} ${user.role_id} ${user.is_active}`} user={user} />
      <PasswordForm id={user.id} />
      <UserSessions id={user.id} />
      <DeleteUser user={user} onGone={onGone} />
    </Stack>
  );
}
