import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ConnectionView } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { CopyText } from '@/ui/CopyText';
import { Facts } from '@/ui/Facts';
import { formatBytes, formatNumber, plural } from '@/ui/format';
import { PageDrawer } from '@/ui/PageDrawer';
import { TimeText } from '@/ui/TimeText';
import { toast } from '@/ui/toast';
import { LagText } from './LagText';
import { PROTOCOLS } from './lag';
import { connectionsQuery, useEndConnection } from './queries';
import { SubscriptionPanel } from './SubscriptionPanel';

const listRoute = getRouteApi('/app/live/connections');
const route = getRouteApi('/app/live/connections/$id');

export function ConnectionDrawer() {
  const { id } = route.useParams();
  const { account, user, protocol } = listRoute.useSearch();
  const navigate = listRoute.useNavigate();
  const list = useInfiniteQuery(connectionsQuery({ account, user_id: user, protocol }, true));
  const connection = list.data?.pages.flatMap((page) => page.items).find((item) => item.id === id);
  const close = () => void navigate({ to: '/live/connections', search: true });
  return (
    <PageDrawer title={connection ? (connection.email ?? 'A visitor') : 'Connection'} onClose={close}>
      {list.isPending && <Skeleton h={320} />}
      {connection && <Details connection={connection} onEnded={close} />}
      {list.data && !connection && <Text c="dimmed">This connection has ended, or it is not among those that are listed.</Text>}
    </PageDrawer>
  );
}

function Details({ connection, onEnded }: { connection: ConnectionView; onEnded: () => void }) {
  const [asking, setAsking] = useState(false);
  const end = useEndConnection(() => {
    toast.done('Connection ended.');
    onEnded();
  });
  const { id, user_id, email, opened_by, api_key_id, account_name, protocol, address, since, expires_at, sent, queued_frames, queued_bytes, subscriptions } = connection;
  return (
    <Stack gap="lg">
      <Facts
        items={[
          ['User', user_id && email ? <Link key="user" to="/users/$id" params={{ id: user_id }}>{email}</Link> : 'a visitor'],
          ['Account', account_name ?? '–'],
          ['Listens in their place', opened_by ? <Link key="by" to="/users/$id" params={{ id: opened_by }}>a superadmin</Link> : 'nobody'],
          ['API key', api_key_id ? <CopyText key="key" value={api_key_id} /> : '–'],
          ['Protocol', PROTOCOLS[protocol] ?? protocol],
          ['Address', <span key="address" className="mono">{address ?? '–'}</span>],
          ['Since', <TimeText key="since" value={since} />],
          ['Credential ends', expires_at ? <TimeText key="expires" value={expires_at} /> : 'never'],
          ['Lag', <LagText key="lag" connection={connection} />],
          ['Waiting', `${plural(queued_frames, 'frame')}, ${formatBytes(queued_bytes)}`],
          ['Sent', plural(sent, 'frame')],
          ['Id', <CopyText key="id" value={id} />],
        ]}
      />
      <section aria-label="Subscriptions">
        <Title order={2} mb="xs">
          {formatNumber(subscriptions.length)} {subscriptions.length === 1 ? 'subscription' : 'subscriptions'}
        </Title>
        <Stack gap="xs">
          {subscriptions.map((subscription, index) => (
            <SubscriptionPanel key={index} subscription={subscription} />
          ))}
        </Stack>
      </section>
      <Group gap="md">
        <Button color="red" variant="light" onClick={() => setAsking(true)}>
          End connection
        </Button>
        {user_id && (
          <Link to="/live/connections" search={{ user: user_id }} style={{ color: 'var(--sb-accent-text)' }}>
            All connections of this user
          </Link>
        )}
      </Group>
      <ConfirmDialog
        opened={asking}
        title="End this connection?"
        confirm="End connection"
        busy={end.isPending}
        error={end.error}
        onConfirm={() => end.mutate(id)}
        onClose={() => setAsking(false)}
      >
        {email ?? 'The visitor'} stops hearing of {plural(subscriptions.length, 'subscription')}. The client may connect again as long as its credential is good.
      </ConfirmDialog>
    </Stack>
  );
}
