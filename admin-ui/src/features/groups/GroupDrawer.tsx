import { Skeleton, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { GroupDetail } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { DangerPanel } from '@/ui/DangerPanel';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Form } from '@/ui/Form';
import { plural } from '@/ui/format';
import { PageDrawer } from '@/ui/PageDrawer';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { Members } from './Members';
import { groupQuery, useCreateGroup, useDeleteGroup, useUpdateGroup } from './queries';

const listRoute = getRouteApi('/app/groups');
const route = getRouteApi('/app/groups/$id');

function useClose() {
  const navigate = listRoute.useNavigate();
  return () => void navigate({ to: '/groups', search: true });
}

export function NewGroupDrawer() {
  const close = useClose();
  const create = useCreateGroup();
  const { account: looked } = listRoute.useSearch();
  const [account, setAccount] = useState<string | null>(looked ?? null);
  const submit = (name: string, description: string | null) =>
    create.mutate(
      { name, description, account_id: account },
      {
        onSuccess: (group) => {
          toast.done(`Created ${group.name}.`);
          close();
        },
      },
    );
  return (
    <PageDrawer title="New group" onClose={close}>
      <GroupForm verb="Create group" busy={create.isPending} error={create.error} onSubmit={submit}>
        <AccountPicker
          required
          data-autofocus={looked === undefined ? true : undefined}
          description="Only users of this account can be members."
          value={account}
          onChange={setAccount}
          error={fieldMessage(create.error, 'account_id')}
        />
      </GroupForm>
    </PageDrawer>
  );
}

export function GroupDrawer() {
  const { id } = route.useParams();
  const close = useClose();
  const group = useQuery(groupQuery(id));
  return (
    <PageDrawer title={group.data?.name ?? 'Group'} onClose={close}>
      {group.error && <ErrorPanel error={group.error} onRetry={() => void group.refetch()} />}
      {group.isPending && <Skeleton h={240} />}
      {group.data && <Details group={group.data} onGone={close} />}
    </PageDrawer>
  );
}

function Details({ group, onGone }: { group: GroupDetail; onGone: () => void }) {
  const save = useUpdateGroup(group.id);
  return (
    <Stack gap="lg">
      <GroupForm
        key={`${group.name} ${group.description ?? ''}`}
        group={group}
        verb="Save"
        busy={save.isPending}
        error={save.error}
        onSubmit={(name, description) => save.mutate({ name, description }, { onSuccess: () => toast.done('Saved.') })}
      />
      <Members group={group} />
      {!group.is_system && <DeleteGroup group={group} onGone={onGone} />}
    </Stack>
  );
}

interface FormProps {
  group?: GroupDetail;
  verb: string;
  busy: boolean;
  error: unknown;
  onSubmit: (name: string, description: string | null) => void;
  /** What a new group is asked besides. */
  children?: ReactNode;
}

function GroupForm({ group, verb, busy, error, onSubmit, children }: FormProps) {
  const { values, input, dirty, shown } = useApiForm({ name: group?.name ?? '', description: group?.description ?? '' }, error);
  const submit = () => onSubmit(values.name.trim(), values.description.trim() || null);
  return (
    <Form submit={verb} busy={busy} disabled={!dirty} error={error} shown={[...shown, 'account_id']} onSubmit={submit}>
      {children}
      <TextInput label="Name" required withAsterisk={false} readOnly={group?.is_system} {...input('name')} />
      <TextInput label="Description" {...input('description')} />
    </Form>
  );
}

function DeleteGroup({ group, onGone }: { group: GroupDetail; onGone: () => void }) {
  const remove = useDeleteGroup(group.id);
  const done = () => {
    toast.done(`Deleted ${group.name}.`);
    onGone();
  };
  return (
    <DangerPanel
      effect="Its members keep their accounts. Rules that require the group no longer match anyone."
      button="Delete group"
      question={<>Delete the group <em>{group.name}</em>?</>}
      job={remove}
      onConfirm={() => remove.mutate(undefined, { onSuccess: done })}
    >
      It has {plural(group.member_count, 'member')}.
    </DangerPanel>
  );
}
