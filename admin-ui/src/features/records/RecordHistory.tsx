import { Anchor, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Entry, entriesOf } from '@/features/audit/entries';
import { operationLabel } from '@/features/audit/operations';
import { auditQuery } from '@/features/audit/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { TimeText } from '@/ui/TimeText';
import { SYSTEM_FIELDS } from './system-fields';
import classes from './RecordHistory.module.css';

/** Rows of the trail, of which each column that was changed has one. */
const MOST = 100;

/** Who changed what, the latest first. */
export function RecordHistory({ table, id }: { table: string; id: string }) {
  const trail = useQuery(auditQuery({ table_name: table, record_id: id }, 0, MOST));
  if (trail.error) return <ErrorPanel error={trail.error} onRetry={() => void trail.refetch()} />;
  if (!trail.data) return <Skeleton h={240} />;
  const rows = trail.data.items.filter((row) => !SYSTEM_FIELDS.includes(row.column_name));
  const entries = entriesOf(rows);
  return (
    <Stack gap="sm">
      {entries.length === 0 && <Text c="dimmed">The trail knows nothing of this record. It may have been switched off when the record was made.</Text>}
      {entries.map((entry) => (
        <Change key={entry.id} entry={entry} />
      ))}
      <Anchor fz="sm" renderRoot={(props) => <Link to="/audit" search={{ table, record: id }} {...props} />}>
        {trail.data.total > MOST ? 'Earlier changes, in the audit trail' : 'Show in the audit trail'}
      </Anchor>
    </Stack>
  );
}

function Change({ entry: { operation, who, when, columns } }: { entry: Entry }) {
  return (
    <section className="sb-panel" aria-label={`${operationLabel(operation)} by ${who}`}>
      <header>
        <Group justify="space-between" gap="xs">
          <Text fw={500} style={{ overflowWrap: 'anywhere' }}>
            {operationLabel(operation)} by {who}
          </Text>
          <Text fz="sm" c="dimmed">
            <TimeText value={when} />
          </Text>
        </Group>
      </header>
      {columns.length > 0 && (
        <dl className={classes.changes}>
          {columns.map(({ name, before, after }) => (
            <div key={name} className={classes.change}>
              <dt className="mono">{name}</dt>
              <dd>
                {before !== null && (
                  <>
                    <del>{before === '' ? 'empty' : before}</del>{' '}
                  </>
                )}
                {after === null ? <span className={classes.none}>no value</span> : <ins>{after === '' ? 'empty' : after}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
