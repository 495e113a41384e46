import { PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Form } from '@/ui/Form';
import { useSignIn } from './queries';

interface Props {
  /** Given when the same person has to prove themselves again. */
  email?: string;
}

export function SignInForm({ email: fixed }: Props) {
  const signIn = useSignIn();
  const [email, setEmail] = useState(fixed ?? '');
  const [password, setPassword] = useState('');
  return (
    <Form submit="Sign in" align="fill" busy={signIn.isPending} error={signIn.error} onSubmit={() => signIn.mutate({ email: email.trim(), password })}>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        autoFocus={!fixed}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        autoFocus={Boolean(fixed)}
        data-autofocus={fixed ? true : undefined}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
    </Form>
  );
}
