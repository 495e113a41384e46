import { Switch, TextInput } from '@mantine/core';
import type { UserDetail } from '@/api/types';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { useUpdateUser } from './queries';

export function UserForm({ user: { id, email, role_id, is_active } }: { user: UserDetail }) {
  const save = useUpdateUser(id);
  const { values, input, set, dirty, shown } = useApiForm({ email, role_id: role_id, is_active }, save.error);
  const submit = () => save.mutate({ ...values, email: values.email.trim() }, { onSuccess: () => toast.done('Saved.') });
  return (
    <Form submit="Save" busy={save.isPending} disabled={!dirty} error={save.error} shown={shown} onSubmit={submit}>
      <TextInput label="E-mail" type="email" required withAsterisk={false} {...input('email')} />
      <RoleSelect {...input('role_id')} value={values.role_id} onChange={(role) => role !== null && set('role_id', role)} />
      <Switch
        label="Active"
        description="Deactivating a user ends all sessions and realtime connections at once."
        {...input('is_active', { type: 'checkbox' })}
      />
    </Form>
  );
}
