import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ErrorPanel } from '@/ui/ErrorPanel';
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
    <form
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate({ email: email.trim(), password });
      }}
    >
      <Stack gap="sm">
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
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <ErrorPanel error={signIn.error} />
        <Button type="submit" loading={signIn.isPending}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
