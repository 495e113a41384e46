import { Alert, Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { IconShieldStar } from '@tabler/icons-react';
import { useId } from 'react';
import { SYSTEM_ACCOUNT } from '@/features/accounts/system-account';
import { PasswordHints } from '@/features/session/PasswordHints';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { useCreateUser } from './queries';

/** Somebody who may do everything on this server, which has to be confirmed. */
export function NewSuperadminForm({ onDone }: { onDone: () => void }) {
  const create = useCreateUser();
  const hints = useId();
  const { values, input, shown } = useApiForm({ email: '', password: '', confirmed: false }, create.error);
  const submit = () =>
    create.mutate(
      { account_id: SYSTEM_ACCOUNT, email: values.email.trim(), password: values.password, role: 'admin', email_verified: true },
      {
        onSuccess: (user) => {
          toast.done(`Created ${user.email}, a superadmin.`);
          onDone();
        },
      },
    );
  return (
    <Form submit="Create superadmin" busy={create.isPending} disabled={!values.confirmed} error={create.error} shown={shown} onSubmit={submit}>
      <Alert color="orange" p="xs" icon={<IconShieldStar size={18} />} title="Full access to this server">
        A superadmin reads and changes every record of every account, all users, rules and keys. No rule limits them.
      </Alert>
      <TextInput label="E-mail" type="email" required withAsterisk={false} data-autofocus {...input('email')} />
      <PasswordInput label="Password" autoComplete="new-password" required withAsterisk={false} aria-describedby={hints} {...input('password')} />
      <PasswordHints id={hints} password={values.password} />
      <Checkbox label="This person needs access to every account" {...input('confirmed', { type: 'checkbox' })} />
    </Form>
  );
}
