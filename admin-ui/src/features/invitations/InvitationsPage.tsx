import { Button, Group, Modal, SegmentedControl } from '@mantine/core';
import { IconMail, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Invitation } from '@/api/types';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { SecretOnce } from '@/ui/SecretOnce';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { InviteForm } from './InviteForm';
import { invitationsQuery, useCancelInvitation, useResend } from './queries';

const route = getRouteApi('/app/invitations');
const PAGE_SIZE = 25;
const STATES = [
  { value: 'pending', label: 'Pending' },
  { value: 'accepted', label: 'Accepted' },
  { value: 'expired', label: 'Expired' },
] as const;

export function InvitationsPage() {
  const { page = 1, status, account } = route.useSearch();
  const navigate = route.useNavigate();
  const [inviting, setInviting] = useState(false);
  const [token, setToken] = useState<string | null>(null);
  const list = useQuery(invitationsQuery({ page, page_size: PAGE_SIZE, status_filter: status, account_id: account }));
  const resend = useResend();
  const cancel = useCancelInvitation();
  const columns: Column<Invitation>[] = [
    { key: 'email', header: 'E-mail', cell: ({ email }) => email },
    { key: 'account_code', wide: true, header: 'Account', cell: ({ account_code }) => <span className="mono">{account_code}</span> },
    { key: 'role', wide: true, header: 'Role', cell: ({ role }) => <span className="mono">{role}</span> },
    { key: 'status', wide: true, header: 'State', cell: ({ status: state }) => state },
    { key: 'expires_at', wide: true, header: 'Expires', cell: ({ expires_at }) => <TimeText value={expires_at} /> },
    { key: 'created_at', wide: true, header: 'Sent', cell: ({ created_at }) => <TimeText value={created_at} /> },
    {
      key: 'actions',
      header: '',
      cell: ({ id, email, status: state }) =>
        (state === 'pending' || state === 'expired') && (
          <Group gap={4} justify="flex-end" wrap="nowrap">
            <Button
              variant="subtle"
              size="compact-sm"
              aria-label={`Resend link to ${email}`}
              onClick={() => resend.mutate(id, { onSuccess: (sent) => setToken(sent.token) })}
            >
              Resend link
            </Button>
            <Button
              variant="subtle"
              color="red"
              size="compact-sm"
              aria-label={`Cancel invitation for ${email}`}
              onClick={() => cancel.mutate(id, { onSuccess: () => toast.done(`Cancelled the invitation for ${email}.`) })}
            >
              Cancel
            </Button>
          </Group>
        ),
    },
  ];
  const error = list.error ?? resend.error ?? cancel.error;
  const invite = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setInviting(true)}>
      Invite user
    </Button>
  );
  // Nothing although nothing is filtered: the empty state offers the next step.
  const none = list.data?.total === 0 && status === undefined && account === undefined;
  return (
    <Page crumbs={[{ label: 'Invitations' }]} action={!none && invite} flush>
      <Group p="xs" px="md" gap="xs">
        <SegmentedControl
          aria-label="State"
          data={[{ value: 'all', label: 'All' }, ...STATES]}
          value={status ?? 'all'}
          onChange={(value) => void navigate({ search: { status: value === 'all' ? undefined : value }, replace: true })}
        />
        <ScopeNote />
      </Group>
      <DataTable
        label="Invitations"
        columns={columns}
        rows={list.data?.invitations}
        rowKey={({ id }) => id}
        minWidth={820}
        error={error}
        onRetry={() => void list.refetch()}
      />
      {list.data?.total === 0 && (
        <EmptyState icon={<IconMail size={32} stroke={1.5} />} title={status ? `No ${status} invitations` : 'No invitations yet'} action={none && invite}>
          An invited person receives a link by mail, chooses a password and becomes a user of the account.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => void navigate({ search: { status, page: next } })} />
      <Modal opened={inviting} onClose={() => setInviting(false)} title="Invite a user">
        <InviteForm
          account={account ?? null}
          onDone={(invitation) => {
            setInviting(false);
            if (invitation.token) setToken(invitation.token);
          }}
        />
      </Modal>
      <SecretOnce title="Invitation token" value={token} onClose={() => setToken(null)}>
        If mail is configured, it has been sent as a link. Otherwise pass it on yourself; it is shown only once.
      </SecretOnce>
    </Page>
  );
}
