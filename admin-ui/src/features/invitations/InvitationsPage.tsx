import { Button, Group, Modal, SegmentedControl } from '@mantine/core';
import { IconMail, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Invitation } from '@/api/types';
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
  const { page = 1, status } = route.useSearch();
  const navigate = route.useNavigate();
  const [inviting, setInviting] = useState(false);
  const [token, setToken] = useState<string | null>(null);
  const list = useQuery(invitationsQuery({ page, page_size: PAGE_SIZE, status_filter: status }));
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
              aria-label={`Send again to ${email}`}
              onClick={() => resend.mutate(id, { onSuccess: (sent) => setToken(sent.token) })}
            >
              Send again
            </Button>
            <Button
              variant="subtle"
              color="red"
              size="compact-sm"
              aria-label={`Cancel the invitation of ${email}`}
              onClick={() => cancel.mutate(id, { onSuccess: () => toast.done(`The invitation of ${email} is void.`) })}
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
  // Without a filter there is nothing at all: the next step stands there.
  const none = list.data?.total === 0 && status === undefined;
  return (
    <Page crumbs={[{ label: 'Invitations' }]} action={!none && invite} flush>
      <Group p="xs" px="md">
        <SegmentedControl
          aria-label="State"
          data={[{ value: 'all', label: 'All' }, ...STATES]}
          value={status ?? 'all'}
          onChange={(value) => void navigate({ search: { status: value === 'all' ? undefined : value }, replace: true })}
        />
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
          Whoever is invited gets a link by mail, chooses a password, and belongs to the account.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => void navigate({ search: { status, page: next } })} />
      <Modal opened={inviting} onClose={() => setInviting(false)} title="Invite a user">
        <InviteForm
          onDone={(invitation) => {
            setInviting(false);
            if (invitation.token) setToken(invitation.token);
          }}
        />
      </Modal>
      <SecretOnce title="The invitation's token" value={token} onClose={() => setToken(null)}>
        It was mailed as a link, if mails are set up. Otherwise hand it over yourself: it is not shown again.
      </SecretOnce>
    </Page>
  );
}
