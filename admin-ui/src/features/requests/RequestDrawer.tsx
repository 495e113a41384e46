import { Alert, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { RequestEntry } from '@/api/types';
import { Diff } from '@/features/audit/Diff';
import { type AuditEntry, entriesOf, tellingChanges } from '@/features/audit/entries';
import { storyOf } from '@/features/audit/story';
import { CopyText } from '@/ui/CopyText';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Facts } from '@/ui/Facts';
import { exactTime, formatMilliseconds } from '@/ui/format';
import { PageDrawer } from '@/ui/PageDrawer';
import { effectsQuery, isFromUi, requestQuery } from './queries';
import { reasonFor } from './reasons';
import { StatusText } from './StatusText';

const listRoute = getRouteApi('/app/requests');
const route = getRouteApi('/app/requests/$number');

export function RequestDrawer() {
  const { number } = route.useParams();
  const navigate = listRoute.useNavigate();
  const request = useQuery(requestQuery(Number(number)));
  return (
    <PageDrawer title={request.data ? `${request.data.method} ${request.data.path}` : 'Request'} onClose={() => void navigate({ to: '/requests', search: true })}>
      {request.error && <ErrorPanel error={request.error} onRetry={() => void request.refetch()} />}
      {request.isPending && <Skeleton h={280} />}
      {request.data === null && <Text c="dimmed">This request is no longer remembered. Only the latest requests since the start of the server are kept.</Text>}
      {request.data && <Details request={request.data} />}
    </PageDrawer>
  );
}

function Details({ request }: { request: RequestEntry }) {
  const reason = reasonFor(request);
  return (
    <Stack gap="lg">
      {reason && (
        <Alert color={request.status >= 500 ? 'red' : 'orange'} p="xs" title={`${request.status}: ${reason.title}`}>
          {reason.text}
        </Alert>
      )}
      <Facts
        items={[
          ['Status', <StatusText key="status" status={request.status} />],
          ['Time', exactTime(request.at)],
          ['Took', formatMilliseconds(request.milliseconds)],
          ['Address', request.address ?? '–'],
          ['Sent by', isFromUi(request) ? 'this admin UI' : 'an application'],
          ['Correlation id', <CopyText key="id" value={request.correlation_id} />],
        ]}
      />
      <Effects request={request} />
      <Text fz="sm" c="dimmed">
        Paths, queries and bodies are not kept. The response carried the correlation id in its X-Correlation-ID header, and the server log has
        it as well.
      </Text>
    </Stack>
  );
}

/** What the request changed, and who sent it: known of writes, sign-ins and exports. */
function Effects({ request }: { request: RequestEntry }) {
  const effects = useQuery(effectsQuery(request));
  const entries = useMemo(() => entriesOf(effects.data ?? []), [effects.data]);
  if (effects.error) return <ErrorPanel error={effects.error} onRetry={() => void effects.refetch()} />;
  if (entries.length === 0) return effects.isPending ? <Skeleton h={64} /> : null;
  return (
    <Stack gap="xs" component="section" aria-label="In the audit trail">
      <Title order={2} size="h4">
        In the audit trail
      </Title>
      {entries.map((entry) => (
        <Effect key={entry.id} entry={entry} />
      ))}
    </Stack>
  );
}

function Effect({ entry }: { entry: AuditEntry }) {
  const { verb, name, context } = storyOf(entry);
  return (
    <div className="sb-panel">
      <header>
        <Link to="/audit" search={{ table: entry.table, record: entry.recordId || undefined, entry: entry.id }} className="sb-link">
          {entry.who} {verb} {name} {context}
        </Link>
      </header>
      <Diff operation={entry.operation} changes={tellingChanges(entry)} />
    </div>
  );
}
