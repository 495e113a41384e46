import { Anchor, PasswordInput, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { Form } from '@/ui/Form';
import { EntryLayout } from './EntryLayout';
import { checkPassword } from './password-policy';
import { PasswordHints } from './PasswordHints';
import { setupStatus, useSetUp } from './queries';

const route = getRouteApi('/setup');
const SHOWN = ['email', 'password'];

export function SetupPage() {
  const { token = '' } = route.useSearch();
  const status = useQuery(setupStatus);
  if (status.data && !status.data.needed) {
    return (
      <EntryLayout title="This server is set up" intro="It already has a superadmin, so the set-up link no longer works.">
        <Anchor component={Link} to="/login">
          Sign in
        </Anchor>
      </EntryLayout>
    );
  }
  return (
    <EntryLayout title="Set up this server" intro="Create the first superadmin. The link works once.">
      {token === '' && (
        <Text c="var(--mantine-color-error)">This address has no token. Open the whole link that the server printed.</Text>
      )}
      <SetupForm token={token} />
    </EntryLayout>
  );
}

function SetupForm({ token }: { token: string }) {
  const setUp = useSetUp();
  const navigate = useNavigate();
  const hints = useId();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const strong = checkPassword(password).every((item) => item.met);
  const submit = () => setUp.mutate({ token, email: email.trim(), password }, { onSuccess: () => void navigate({ to: '/' }) });
  return (
    <Form submit="Create superadmin" align="fill" busy={setUp.isPending} disabled={!strong || token === ''} error={setUp.error} shown={SHOWN} onSubmit={submit}>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        autoFocus
        value={email}
        error={fieldMessage(setUp.error, 'email')}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        autoComplete="new-password"
        required
        withAsterisk={false}
        aria-describedby={hints}
        value={password}
        error={fieldMessage(setUp.error, 'password')}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <PasswordHints id={hints} password={password} />
    </Form>
  );
}
