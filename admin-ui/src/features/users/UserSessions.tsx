import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { reread } from '@/api/reread';
import type { Session, SessionList } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { plural } from '@/ui/format';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';

/** Where the user is signed in, and how to end that. */
export function UserSessions({ id }: { id: string }) {
  const queries = useQueryClient();
  const queryKey = ['users', 'sessions', id];
  const sessions = useQuery({ queryKey, refetchOnMount: 'always', queryFn: ({ signal }) => api.get<SessionList>(`/users/${id}/sessions`, { signal }) });
  const end = useMutation({
    mutationFn: (session: string | null) => api.delete(`/users/${id}/sessions${session ? `/${session}` : ''}`),
    onSuccess: () => {
      toast.done('Signed out.');
      reread(queries, queryKey);
    },
  });
  const items = sessions.data?.items ?? [];
  return (
    <section aria-label="Sessions">
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2}>{sessions.data ? plural(sessions.data.total, 'session') : 'Sessions'}</Title>
          {items.length > 0 && (
            <Button variant="default" size="compact-sm" loading={end.isPending} onClick={() => end.mutate(null)}>
              Sign out everywhere
            </Button>
          )}
        </Group>
        <ErrorPanel error={sessions.error ?? end.error} />
        {items.map((session) => (
          <Row key={session.id} session={session} onEnd={() => end.mutate(session.id)} />
        ))}
      </Stack>
    </section>
  );
}

function Row({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const what = session.user_agent ?? 'Unknown program';
  return (
    <Group justify="space-between" wrap="nowrap" className="sb-panel" px="sm" py={6}>
      <div style={{ minWidth: 0 }}>
        <Text fz="sm" className="ellipsis">
          {what}
        </Text>
        <Text fz="xs" c="dimmed">
          {session.ip_address ?? 'unknown address'}, used <TimeText value={session.refreshed_at} />
          {session.is_current && ', this one'}
        </Text>
      </div>
      <Button variant="subtle" size="compact-sm" aria-label={`Sign out ${what}`} onClick={onEnd}>
        Sign out
      </Button>
    </Group>
  );
}
