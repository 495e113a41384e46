import { Button, Group, Modal, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { type Column, DataTable } from '@/ui/DataTable';
import { Form } from '@/ui/Form';
import { formatNumber, plural } from '@/ui/format';
import { Page } from '@/ui/Page';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { rolesQuery, useDeleteRole, useSaveRole } from './queries';

/** Rules name these two, and the server relies on them. */
const BUILT_IN = ['admin', 'user'];

export function RolesPage() {
  const roles = useQuery(rolesQuery);
  const [edited, setEdited] = useState<Role | 'new' | null>(null);
  const [leaving, setLeaving] = useState<Role | null>(null);
  const columns: Column<Role>[] = [
    { key: 'name', header: 'Name', cell: ({ name }) => <span className="mono">{name}</span> },
    { key: 'description', wide: true, header: 'Description', cell: ({ description }) => description ?? '–' },
    { key: 'user_count', header: 'Users', numeric: true, cell: ({ user_count }) => formatNumber(user_count) },
    { key: 'created_at', wide: true, header: 'Created', cell: ({ created_at }) => <TimeText value={created_at} /> },
    {
      key: 'actions',
      header: '',
      cell: (role) => (
        <Group gap={4} wrap="nowrap">
          <Button variant="subtle" size="compact-sm" onClick={() => setEdited(role)} aria-label={`Edit ${role.name}`}>
            Edit
          </Button>
          {!BUILT_IN.includes(role.name) && (
            <Button variant="subtle" color="red" size="compact-sm" onClick={() => setLeaving(role)} aria-label={`Delete ${role.name}`}>
              Delete
            </Button>
          )}
        </Group>
      ),
    },
  ];
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>
      Create role
    </Button>
  );
  return (
    <Page crumbs={[{ label: 'Roles' }]} action={create} flush>
      <DataTable
        label="Roles"
        columns={columns}
        rows={roles.data?.items}
        rowKey={({ id }) => id}
        error={roles.error}
        onRetry={() => void roles.refetch()}
      />
      <Modal opened={edited !== null} onClose={() => setEdited(null)} title={edited === 'new' ? 'New role' : 'Edit role'}>
        {edited !== null && <RoleForm role={edited === 'new' ? null : edited} onDone={() => setEdited(null)} />}
      </Modal>
      <DeleteRole role={leaving} onDone={() => setLeaving(null)} />
    </Page>
  );
}

function RoleForm({ role, onDone }: { role: Role | null; onDone: () => void }) {
  const save = useSaveRole(role?.id ?? null);
  const { values, input, shown } = useApiForm({ name: role?.name ?? '', description: role?.description ?? '' }, save.error);
  const submit = () =>
    save.mutate(
      { name: values.name.trim(), description: values.description.trim() || null },
      {
        onSuccess: (saved) => {
          toast.done(`Saved ${saved.name}.`);
          onDone();
        },
      },
    );
  return (
    <Form submit={role ? 'Save' : 'Create role'} busy={save.isPending} error={save.error} shown={shown} onSubmit={submit}>
      <TextInput
        label="Name"
        description="Rules ask for it: @request.auth.role = 'editor'"
        required
        withAsterisk={false}
        data-autofocus
        readOnly={role !== null && BUILT_IN.includes(role.name)}
        {...input('name')}
      />
      <TextInput label="Description" {...input('description')} />
    </Form>
  );
}

function DeleteRole({ role, onDone }: { role: Role | null; onDone: () => void }) {
  const remove = useDeleteRole();
  const close = () => {
    remove.reset();
    onDone();
  };
  return (
    <ConfirmDialog
      opened={role !== null}
      title={<>Delete the role <em>{role?.name}</em>?</>}
      confirm="Delete role"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => {
        if (role) remove.mutate(role.id, { onSuccess: close });
      }}
      onClose={close}
    >
      {role && role.user_count > 0
        ? `${plural(role.user_count, 'user')} have it: give them another one first.`
        : 'Nobody has it. Rules that ask for it will let nobody in.'}
    </ConfirmDialog>
  );
}
