import { Anchor, PasswordInput, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useId } from 'react';
import { Form } from '@/ui/Form';
import { useApiForm } from '@/ui/use-api-form';
import { EntryLayout } from './EntryLayout';
import { checkPassword } from './password-policy';
import { PasswordHints } from './PasswordHints';
import { setupStatus, useSetUp } from './queries';

const route = getRouteApi('/setup');

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
        <Text c="var(--mantine-color-error)">This address has no token. Open the complete link that the server printed.</Text>
      )}
      <SetupForm token={token} />
    </EntryLayout>
  );
}

function SetupForm({ token }: { token: string }) {
  const setUp = useSetUp();
  const navigate = useNavigate();
  const hints = useId();
  const { values, input, shown } = useApiForm({ email: '', password: '' }, setUp.error);
  const strong = checkPassword(values.password).every((item) => item.met);
  const submit = () => setUp.mutate({ token, email: values.email.trim(), password: values.password }, { onSuccess: () => void navigate({ to: '/' }) });
  return (
    <Form submit="Create superadmin" align="fill" busy={setUp.isPending} disabled={!strong || token === ''} error={setUp.error} shown={shown} onSubmit={submit}>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        autoFocus
        {...input('email')}
      />
      <PasswordInput
        label="Password"
        autoComplete="new-password"
        required
        withAsterisk={false}
        aria-describedby={hints}
        {...input('password')}
      />
      <PasswordHints id={hints} password={values.password} />
    </Form>
  );
}
