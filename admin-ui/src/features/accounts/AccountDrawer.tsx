import { Skeleton, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { AccountDetail } from '@/api/types';
import { CopyText } from '@/ui/CopyText';
import { DangerPanel } from '@/ui/DangerPanel';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Facts } from '@/ui/Facts';
import { Form } from '@/ui/Form';
import { plural } from '@/ui/format';
import { PageDrawer } from '@/ui/PageDrawer';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { accountQuery, useCreateAccount, useDeleteAccount, useRenameAccount } from './queries';

const listRoute = getRouteApi('/app/accounts');
const route = getRouteApi('/app/accounts/$id');
const SHOWN = ['name'];

function useClose() {
  const navigate = listRoute.useNavigate();
  return () => void navigate({ to: '/accounts', search: true });
}

export function NewAccountDrawer() {
  const close = useClose();
  const create = useCreateAccount();
  const { values, input, shown } = useApiForm({ name: '', slug: '' }, create.error);
  const submit = () =>
    create.mutate(
      { name: values.name.trim(), slug: values.slug.trim() || undefined },
      {
        onSuccess: (account) => {
          toast.done(`Created ${account.name}.`);
          close();
        },
      },
    );
  return (
    <PageDrawer title="New account" onClose={close}>
      <Form submit="Create account" busy={create.isPending} error={create.error} shown={shown} onSubmit={submit}>
        <TextInput label="Name" required withAsterisk={false} data-autofocus {...input('name')} />
        <TextInput label="Slug" description="Identifies the account at sign-in. Leave empty to derive it from the name." {...input('slug')} />
      </Form>
    </PageDrawer>
  );
}

export function AccountDrawer() {
  const { id } = route.useParams();
  const close = useClose();
  const account = useQuery(accountQuery(id));
  return (
    <PageDrawer title={account.data?.name ?? 'Account'} onClose={close}>
      {account.error && <ErrorPanel error={account.error} onRetry={() => void account.refetch()} />}
      {account.isPending && <Skeleton h={240} />}
      {account.data && <Details key={account.data.name} account={account.data} onGone={close} />}
    </PageDrawer>
  );
}

function Details({ account, onGone }: { account: AccountDetail; onGone: () => void }) {
  const rename = useRenameAccount(account.id);
  const [name, setName] = useState(account.name);
  const submit = () => rename.mutate(name.trim(), { onSuccess: () => toast.done('Saved.') });
  return (
    <Stack gap="lg">
      <Facts
        items={[
          ['Slug', <span key="slug" className="mono">{account.slug}</span>],
          ['Code', <span key="code" className="mono">{account.account_code}</span>],
          ['Id', <CopyText key="id" value={account.id} />],
          [
            'Users',
            <Link key="users" to="/users" search={{ account: account.id }}>
              {plural(account.user_count, 'user')}
            </Link>,
          ],
          ['Created', <TimeText key="created" value={account.created_at} />],
        ]}
      />
      <Form submit="Save" busy={rename.isPending} disabled={name.trim() === account.name} error={rename.error} shown={SHOWN} onSubmit={submit}>
        <TextInput label="Name" required withAsterisk={false} value={name} onChange={(event) => setName(event.currentTarget.value)} error={fieldMessage(rename.error, 'name')} />
      </Form>
      <DeleteAccount account={account} onGone={onGone} />
    </Stack>
  );
}

function DeleteAccount({ account, onGone }: { account: AccountDetail; onGone: () => void }) {
  const remove = useDeleteAccount(account.id);
  const done = () => {
    toast.done(`Deleted ${account.name}.`);
    onGone();
  };
  return (
    <DangerPanel
      effect="Its users and its records in all collections are gone at once."
      button="Delete account"
      question={<>Delete <em>{account.name}</em>?</>}
      typed={account.slug}
      job={remove}
      onConfirm={() => remove.mutate(undefined, { onSuccess: done })}
    >
      {plural(account.user_count, 'user')} can no longer sign in, and every record of this account is deleted. This cannot be undone.
    </DangerPanel>
  );
}
