import { PasswordInput, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { rolesQuery } from '@/features/roles/queries';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { PasswordHints } from '@/features/session/PasswordHints';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useCreateUser } from './queries';

/** A superadmin belongs to it. */
const SYSTEM_ACCOUNT = '00000000-0000-0000-0000-000000000000';
const SHOWN = ['email', 'password', 'account_id', 'role_id'];

export function NewUserForm({ account: given, onDone }: { account: string | null; onDone: () => void }) {
  const create = useCreateUser();
  const hints = useId();
  const [account, setAccount] = useState<string | null>(given);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<number | null>(null);
  const roles = useQuery(rolesQuery).data?.items;
  // The one with which most begin.
  const chosen = role ?? roles?.find(({ name }) => name === 'user')?.id ?? null;
  const [verified, setVerified] = useState(true);
  const submit = () =>
    create.mutate(
      { account_id: account ?? SYSTEM_ACCOUNT, email: email.trim(), password, role_id: chosen, email_verified: verified },
      {
        onSuccess: (user) => {
          toast.done(`Created ${user.email}${user.is_superadmin ? ', a superadmin' : ''}.`);
          onDone();
        },
      },
    );
  return (
    <Form submit="Create user" busy={create.isPending} error={create.error} shown={SHOWN} onSubmit={submit}>
      <TextInput
        label="E-mail"
        type="email"
        required
        withAsterisk={false}
        data-autofocus
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        error={fieldMessage(create.error, 'email')}
      />
      <PasswordInput
        label="Password"
        autoComplete="new-password"
        required
        withAsterisk={false}
        aria-describedby={hints}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={fieldMessage(create.error, 'password')}
      />
      <PasswordHints id={hints} password={password} />
      <AccountPicker
        description="Users of the system account are superadmins, whatever their role."
        value={account}
        onChange={setAccount}
        error={fieldMessage(create.error, 'account_id')}
      />
      <RoleSelect value={chosen} onChange={setRole} error={fieldMessage(create.error, 'role_id')} />
      <Switch
        label="The address is verified"
        description="Otherwise the user gets a mail with a link first."
        checked={verified}
        onChange={(event) => setVerified(event.currentTarget.checked)}
      />
    </Form>
  );
}
