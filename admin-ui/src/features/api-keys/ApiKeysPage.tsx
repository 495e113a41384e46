import { Badge, Button, Modal } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { ApiKey } from '@/api/types';
import { useAccountName } from '@/features/accounts/scope';
import { SYSTEM_ACCOUNT } from '@/features/accounts/system-account';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { SecretOnce } from '@/ui/SecretOnce';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { ApiKeyForm } from './ApiKeyForm';
import { apiKeysQuery, useRevokeApiKey } from './queries';
import { scopeLabels } from './scopes';

const route = getRouteApi('/app/api-keys');
const PAGE_SIZE = 25;

export function ApiKeysPage() {
  const { page = 1, account } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(apiKeysQuery({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }));
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<ApiKey | null>(null);
  const columns: Column<ApiKey>[] = [
    { key: 'name', header: 'Name', cell: ({ name }) => name },
    { key: 'key', wide: true, header: 'Key', cell: ({ key }) => <span className="mono">{key}</span> },
    { key: 'account', wide: true, header: 'Account', cell: ({ account_id }) => <AccountCell id={account_id} /> },
    { key: 'scopes', wide: true, header: 'Permissions', cell: ({ scopes }) => scopeLabels(scopes) },
    { key: 'last_used_at', wide: true, header: 'Last used', cell: ({ last_used_at }) => <TimeText value={last_used_at} /> },
    { key: 'expires_at', header: 'Expires', cell: ({ expires_at }) => (expires_at ? <TimeText value={expires_at} /> : 'never') },
    {
      key: 'actions',
      header: '',
      cell: (key) =>
        key.is_active ? (
          <Button variant="subtle" color="red" size="compact-sm" aria-label={`Revoke ${key.name}`} onClick={() => setLeaving(key)}>
            Revoke
          </Button>
        ) : (
          'revoked'
        ),
    },
  ];
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      Create API key
    </Button>
  );
  const empty = list.data?.total === 0;
  return (
    <Page crumbs={[{ label: 'API keys' }]} action={!empty && create} flush>
      <DataTable
        label="API keys"
        columns={columns}
        rows={list.data?.items}
        rowKey={({ id }) => id}
        minWidth={900}
        error={list.error}
        onRetry={() => void list.refetch()}
      />
      {empty && (
        <EmptyState icon={<IconKey size={32} stroke={1.5} />} title="No API keys yet" action={create}>
          A key lets a program call the API without signing in. Send it as X-API-Key or as a bearer token.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => void navigate({ search: { page: next } })} />
      <Modal opened={creating} onClose={() => setCreating(false)} title="New API key">
        <ApiKeyForm
          account={account ?? null}
          onDone={(key) => {
            setCreating(false);
            setSecret(key.key);
          }}
        />
      </Modal>
      <SecretOnce title="Your new API key" value={secret} onClose={() => setSecret(null)}>
        Store it now. Only a hash is kept, so the key cannot be shown again.
      </SecretOnce>
      <RevokeDialog apiKey={leaving} onDone={() => setLeaving(null)} />
    </Page>
  );
}

/** Every account stands out: no rule limits such a key. */
function AccountCell({ id }: { id: string }) {
  const name = useAccountName(id === SYSTEM_ACCOUNT ? undefined : id);
  return id === SYSTEM_ACCOUNT ? <Badge color="orange">every account</Badge> : (name ?? '…');
}

function RevokeDialog({ apiKey, onDone }: { apiKey: ApiKey | null; onDone: () => void }) {
  const revoke = useRevokeApiKey();
  const close = () => {
    revoke.reset();
    onDone();
  };
  const done = () => {
    toast.done('Revoked the key.');
    close();
  };
  return (
    <ConfirmDialog
      opened={apiKey !== null}
      title={<>Revoke <em>{apiKey?.name}</em>?</>}
      confirm="Revoke key"
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => {
        if (apiKey) revoke.mutate(apiKey.id, { onSuccess: done });
      }}
      onClose={close}
    >
      Requests with this key are refused immediately, and its realtime connections are closed.
    </ConfirmDialog>
  );
}
