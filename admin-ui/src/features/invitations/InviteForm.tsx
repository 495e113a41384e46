import { TextInput } from '@mantine/core';
import type { Invitation } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { RoleSelect } from '@/features/roles/RoleSelect';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { useInvite } from './queries';

interface Values extends Record<string, unknown> {
  account_id: string | null;
  email: string;
  role_id: number | null;
}

interface Props {
  /** The account that is looked at, if it is one. */
  account: string | null;
  onDone: (invitation: Invitation) => void;
}

export function InviteForm({ account, onDone }: Props) {
  const invite = useInvite();
  const { values, input, set, shown } = useApiForm<Values>({ account_id: account, email: '', role_id: null }, invite.error);
  const submit = () =>
    invite.mutate(
      { ...values, email: values.email.trim() },
      {
        onSuccess: (invitation) => {
          toast.done(`Invited ${invitation.email}.`);
          onDone(invitation);
        },
      },
    );
  return (
    <Form submit="Invite" busy={invite.isPending} error={invite.error} shown={shown} onSubmit={submit}>
      <AccountPicker
        required
        description="The account the user will belong to. Superadmins cannot be invited; create them under Users."
        data-autofocus={account === null ? true : undefined}
        {...input('account_id')}
        value={values.account_id}
        onChange={(id) => set('account_id', id)}
      />
      <TextInput label="E-mail" type="email" required withAsterisk={false} data-autofocus={account === null ? undefined : true} {...input('email')} />
      <RoleSelect placeholder="user" {...input('role_id')} value={values.role_id} onChange={(id) => set('role_id', id)} />
    </Form>
  );
}
