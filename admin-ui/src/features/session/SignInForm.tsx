import { PasswordInput, TextInput } from '@mantine/core';
import { Form } from '@/ui/Form';
import { useApiForm } from '@/ui/use-api-form';
import { useSignIn } from './queries';

interface Props {
  /** The address of the user who signs in again. */
  email?: string;
}

export function SignInForm({ email: fixed }: Props) {
  const signIn = useSignIn();
  const { values, input } = useApiForm({ email: fixed ?? '', password: '' }, null);
  return (
    <Form submit="Sign in" align="fill" busy={signIn.isPending} error={signIn.error} onSubmit={() => signIn.mutate({ email: values.email.trim(), password: values.password })}>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        autoFocus={!fixed}
        {...input('email')}
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        autoFocus={Boolean(fixed)}
        data-autofocus={fixed ? true : undefined}
        {...input('password')}
      />
    </Form>
  );
}
