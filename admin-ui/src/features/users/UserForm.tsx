import { Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { UserDetail } from '@/api/types';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useUpdateUser } from './queries';

const SHOWN = ['email', 'role_id', 'is_active'];

export function UserForm({ user }: { user: UserDetail }) {
  const save = useUpdateUser(user.id);
  const [email, setEmail] = useState(user.email);
  const [role, setRole] = useState<number | null>(user.role_id);
  const [active, setActive] = useState(user.is_active);
  const changed = email.trim() !== user.email || role !== user.role_id || active !== user.is_active;
  const submit = () => save.mutate({ email: email.trim(), role_id: role, is_active: active }, { onSuccess: () => toast.done('Saved.') });
  return (
    <Form submit="Save" busy={save.isPending} disabled={!changed} error={save.error} shown={SHOWN} onSubmit={submit}>
      <TextInput
        label="E-mail"
        type="email"
        required
        withAsterisk={false}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        error={fieldMessage(save.error, 'email')}
      />
      <RoleSelect value={role} onChange={setRole} error={fieldMessage(save.error, 'role_id')} />
      <Switch
        label="Active"
        description="Whoever is deactivated is signed out everywhere at once, realtime connections included."
        checked={active}
        onChange={(event) => setActive(event.currentTarget.checked)}
        error={fieldMessage(save.error, 'is_active')}
      />
    </Form>
  );
}
