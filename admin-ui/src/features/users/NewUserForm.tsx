import { PasswordInput, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { rolesQuery } from '@/features/roles/queries';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { PasswordHints } from '@/features/session/PasswordHints';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { useCreateUser } from './queries';

interface Values extends Record<string, unknown> {
  account_id: string | null;
  email: string;
  password: string;
  role_id: number | null;
  email_verified: boolean;
}

interface Props {
  /** The account that is looked at, if it is one. */
  account: string | null;
  onDone: () => void;
}

/** A user of an account. Superadmins have a form of their own. */
export function NewUserForm({ account, onDone }: Props) {
  const create = useCreateUser();
  const hints = useId();
  const form = useApiForm<Values>({ account_id: account, email: '', password: '', role_id: null, email_verified: true }, create.error);
  const { values, input } = form;
  const roles = useQuery(rolesQuery).data?.items;
  // The role that most users have.
  const role_id = values.role_id ?? roles?.find(({ name }) => name === 'user')?.id ?? null;
  const submit = () => {
    if (values.account_id === null) return;
    create.mutate(
      { ...values, account_id: values.account_id, email: values.email.trim(), role_id },
      {
        onSuccess: (user) => {
          toast.done(`Created ${user.email}.`);
          onDone();
        },
      },
    );
  };
  return (
    <Form submit="Create user" busy={create.isPending} error={create.error} shown={form.shown} onSubmit={submit}>
      <AccountPicker
        required
        data-autofocus={account === null ? true : undefined}
        {...input('account_id')}
        value={values.account_id}
        onChange={(id) => form.set('account_id', id)}
      />
      <TextInput label="E-mail" type="email" required withAsterisk={false} data-autofocus={account === null ? undefined : true} {...input('email')} />
      <PasswordInput label="Password" autoComplete="new-password" required withAsterisk={false} aria-describedby={hints} {...input('password')} />
      <PasswordHints id={hints} password={values.password} />
      <RoleSelect {...input('role_id')} value={role_id} onChange={(id) => form.set('role_id', id)} />
      <Switch
        label="Address is verified"
        description="Otherwise the user is sent a link first."
        {...input('email_verified', { type: 'checkbox' })}
      />
    </Form>
  );
}
