import { Group, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useAccountName } from '@/features/accounts/scope';
import { CopyText } from '@/ui/CopyText';
import { Facts } from '@/ui/Facts';
import { exactTime } from '@/ui/format';
import { Diff } from './Diff';
import { type AuditEntry, collectionOf, tellingChanges } from './entries';
import { RestoreButton } from './RestoreButton';
import classes from './audit.module.css';

/** What changed, where it came from, and where to go from here. */
export function EntryDetails({ entry }: { entry: AuditEntry }) {
  const { row, table, recordId, operation } = entry;
  const collection = collectionOf(table);
  const account = useAccountName(entry.accountId);
  return (
    <Stack gap="sm" className={classes.details}>
      <Diff operation={operation} changes={tellingChanges(entry)} />
      <Group gap="md" align="center">
        {collection !== null && operation !== 'DELETE' && recordId !== '' && (
          <Link to="/collections/$name/records/$id" params={{ name: collection, id: recordId }} className="sb-link">
            Open record
          </Link>
        )}
        {table === 'users' && operation !== 'DELETE' && (
          <Link to="/users/$id" params={{ id: recordId }} className="sb-link">
            Open user
          </Link>
        )}
        {recordId !== '' && (
          <Link to="/audit" search={{ table, record: recordId }} className="sb-link">
            Show its history
          </Link>
        )}
        {row.user_id && (
          <Link to="/audit" search={{ user: row.user_id }} className="sb-link">
            Everything by this user
          </Link>
        )}
        {collection !== null && operation === 'UPDATE' && <RestoreButton collection={collection} entry={entry} />}
      </Group>
      <Text component="div" fz="sm">
        <Facts
          items={[
            ['Time', exactTime(entry.when)],
            ['Account', account ?? '…'],
            ['Signed in with', row.extra_metadata?.auth_method ?? '–'],
            ['Address', row.ip_address ?? '–'],
            ['Client', row.user_agent ?? '–'],
            ['Record id', recordId === '' ? '–' : <CopyText key="record" value={recordId} />],
            ['Correlation id', row.request_id ? <CopyText key="request" value={row.request_id} /> : '–'],
            ['Checksum', <CopyText key="checksum" value={row.checksum} />],
          ]}
        />
      </Text>
    </Stack>
  );
}
