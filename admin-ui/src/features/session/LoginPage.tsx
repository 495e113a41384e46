import { Alert, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useSession } from '@/api/session';
import { Form } from '@/ui/Form';
import { EntryLayout } from './EntryLayout';
import { setupStatus } from './queries';
import { SignInForm } from './SignInForm';

const route = getRouteApi('/login');

export function LoginPage() {
  const { next } = route.useSearch();
  const { session } = useSession();
  const router = useRouter();
  const status = useQuery(setupStatus);
  // Only addresses of this UI: a link must not send people elsewhere after they signed in.
  const target = next?.startsWith('/') && !next.startsWith('//') ? next : '/';
  const href = /^\/admin(\/|$)/.test(target) ? target : `/admin${target}`;
  useEffect(() => {
    if (session) router.history.replace(href);
  }, [session, router, href]);
  if (session) return null;
  return (
    <EntryLayout title="Sign in" intro="For superadmins of this server.">
      {status.data?.needed ? <SetupNeeded /> : <SignInForm />}
    </EntryLayout>
  );
}

function SetupNeeded() {
  const [token, setToken] = useState('');
  const navigate = useNavigate();
  return (
    <Form submit="Set up this server" align="fill" onSubmit={() => void navigate({ to: '/setup', search: { token: tokenFrom(token) } })}>
      <Alert icon={<IconInfoCircle size={18} />} p="xs">
        This server has no superadmin yet. It printed a set-up link when it started: open that link, or paste it here.
      </Alert>
      <TextInput
        label="Set-up link or token"
        required
        withAsterisk={false}
        autoFocus
        autoComplete="off"
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
      />
    </Form>
  );
}

function tokenFrom(text: string): string {
  return /[?&]token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
}
