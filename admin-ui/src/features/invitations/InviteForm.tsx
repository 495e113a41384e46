import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { Invitation } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useInvite } from './queries';

const SHOWN = ['email', 'account_id', 'role_id'];

export function InviteForm({ onDone }: { onDone: (invitation: Invitation) => void }) {
  const invite = useInvite();
  const [email, setEmail] = useState('');
  const [account, setAccount] = useState<string | null>(null);
  const [role, setRole] = useState<number | null>(null);
  const submit = () =>
    invite.mutate(
      { email: email.trim(), account_id: account, role_id: role },
      {
        onSuccess: (invitation) => {
          toast.done(`Invited ${invitation.email}.`);
          onDone(invitation);
        },
      },
    );
  return (
    <Form submit="Invite" busy={invite.isPending} error={invite.error} shown={SHOWN} onSubmit={submit}>
      <TextInput
        label="E-mail"
        type="email"
        required
        withAsterisk={false}
        data-autofocus
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        error={fieldMessage(invite.error, 'email')}
      />
      <AccountPicker
        required
        description="To which the user will belong. Superadmins are not invited: create them under Users."
        value={account}
        onChange={setAccount}
        error={fieldMessage(invite.error, 'account_id')}
      />
      <RoleSelect placeholder="user" value={role} onChange={setRole} error={fieldMessage(invite.error, 'role_id')} />
    </Form>
  );
}
