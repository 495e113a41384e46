import { Anchor, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Diff } from '@/features/audit/Diff';
import { type AuditEntry, entriesOf, tableOf, tellingChanges } from '@/features/audit/entries';
import { operationLabel } from '@/features/audit/operations';
import { auditQuery } from '@/features/audit/queries';
import { RestoreButton } from '@/features/audit/RestoreButton';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { TimeText } from '@/ui/TimeText';

/** Of the trail, which has a row for each changed column. */
const MAX_ROWS = 100;

/** Who changed what, the latest first. */
export function RecordHistory({ collection, id }: { collection: string; id: string }) {
  const table = tableOf(collection);
  const trail = useQuery(auditQuery({ table_name: table, record_id: id }, 0, MAX_ROWS));
  if (trail.error) return <ErrorPanel error={trail.error} onRetry={() => void trail.refetch()} />;
  if (!trail.data) return <Skeleton h={240} />;
  const entries = entriesOf(trail.data.items);
  return (
    <Stack gap="sm">
      {entries.length === 0 && <Text c="dimmed">No recorded changes. Audit logging may have been off when the record was created.</Text>}
      {entries.map((entry) => (
        <Change key={entry.id} collection={collection} entry={entry} />
      ))}
      <Anchor fz="sm" renderRoot={(props) => <Link to="/audit" search={{ table, record: id }} {...props} />}>
        {trail.data.total > MAX_ROWS ? 'Earlier changes, in the audit trail' : 'Show in the audit trail'}
      </Anchor>
    </Stack>
  );
}

function Change({ collection, entry }: { collection: string; entry: AuditEntry }) {
  const { operation, who, when } = entry;
  return (
    <section className="sb-panel" aria-label={`${operationLabel(operation)} by ${who}`}>
      <header>
        <Group justify="space-between" gap="xs">
          <Text fw={500} style={{ overflowWrap: 'anywhere' }}>
            {operationLabel(operation)} by {who}
          </Text>
          <Group gap="xs">
            {operation === 'UPDATE' && <RestoreButton collection={collection} entry={entry} />}
            <Text fz="sm" c="dimmed">
              <TimeText value={when} />
            </Text>
          </Group>
        </Group>
      </header>
      <Diff operation={operation} changes={tellingChanges(entry)} />
    </section>
  );
}
