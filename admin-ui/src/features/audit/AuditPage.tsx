import { Alert, Button, Group, Select, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconHistory } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { AuditSearch } from '@/app/search';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { collectionNamesQuery } from '@/features/collections/queries';
import { UserFilter } from '@/features/users/UserFilter';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { formatNumber, plural, shortId } from '@/ui/format';
import { Page } from '@/ui/Page';
import { TimeText } from '@/ui/TimeText';
import { AccountName } from '@/features/accounts/AccountName';
import { type AuditEntry, entriesOf, tableOf, tellingChanges } from './entries';
import { EntryDetails } from './EntryDetails';
import { ExportMenu } from './ExportMenu';
import { OPERATIONS } from './operations';
import { trailQuery } from './queries';
import { useRecordTitles } from './record-titles';
import { SERVER_TABLES, storyOf } from './story';
import { VerifyButton } from './VerifyButton';
import classes from './audit.module.css';

const route = getRouteApi('/app/audit');

export function AuditPage() {
  const { operation, table, record, user, from, to, entry: open, account } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = { operation, table_name: table, record_id: record, user_id: user, account_id: account, from_date: from, to_date: to };
  const list = useInfiniteQuery(trailQuery(filter));
  const pages = list.data?.pages;
  const entries = useMemo(() => pages && entriesOf(pages.flatMap((page) => page.items)), [pages]);
  const titles = useRecordTitles(entries ?? NONE);
  const update = (patch: AuditSearch) => void navigate({ to: '/audit', search: (before) => ({ ...before, entry: undefined, ...patch }), replace: true });
  const toggle = ({ id }: AuditEntry) => update({ entry: id === open ? undefined : id });
  const columns: Column<AuditEntry>[] = [
    {
      key: 'story',
      main: true,
      header: 'What happened',
      cell: (entry) => <StoryButton entry={entry} title={titles.get(entry.recordId)} open={entry.id === open} onToggle={() => toggle(entry)} />,
    },
    { key: 'changes', wide: true, header: 'Changed', cell: (entry) => <ChangedNames entry={entry} /> },
    { key: 'account', wide: true, header: 'Account', cell: ({ accountId }) => <AccountName id={accountId} /> },
    { key: 'when', header: 'Time', cell: ({ when }) => <TimeText value={when} /> },
  ];
  const total = pages?.[0]?.total;
  return (
    <Page
      crumbs={[{ label: 'Audit' }]}
      action={
        <Group gap="xs" wrap="nowrap">
          <VerifyButton />
          <ExportMenu filter={filter} />
        </Group>
      }
      flush
    >
      <Group className="sb-toolbar" p="xs" px="md" gap="xs">
        <TableFilter value={table} onChange={(next) => update({ table: next, record: undefined })} />
        <Select w={170} aria-label="Operation" placeholder="Any operation" clearable data={OPERATIONS} value={operation ?? null} onChange={(value) => update({ operation: value ?? undefined })} />
        <UserFilter userId={user} onChange={(next) => update({ user: next })} />
        <TextInput aria-label="From" leftSection="From" leftSectionWidth={52} type="date" value={from ?? ''} onChange={(event) => update({ from: event.currentTarget.value || undefined })} />
        <TextInput aria-label="To" leftSection="To" leftSectionWidth={36} type="date" value={to ?? ''} onChange={(event) => update({ to: event.currentTarget.value || undefined })} />
        {record && (
          <Button variant="light" onClick={() => update({ record: undefined })}>
            Only {shortId(record)}: show all
          </Button>
        )}
        <ScopeNote />
      </Group>
      {pages?.[0]?.audit_logging_enabled === false && (
        <Alert color="yellow" m="md">
          Audit logging is off (audit.logging_enabled), so current changes are not recorded.
        </Alert>
      )}
      <DataTable
        error={list.error}
        onRetry={() => void list.refetch()}
        label="Audit trail"
        columns={columns}
        rows={entries}
        rowKey={({ id }) => id}
        onOpen={toggle}
        below={(entry) => (entry.id === open ? <EntryDetails entry={entry} /> : null)}
        minWidth={860}
      />
      {entries?.length === 0 && (
        <EmptyState icon={<IconHistory size={32} stroke={1.5} />} title="No entries found">
          Changes to records, users, accounts and rules are recorded here, and so are sign-ins, refused sign-ins and exports.
        </EmptyState>
      )}
      {list.hasNextPage && (
        <Group justify="center" p="md">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show earlier entries
          </Button>
        </Group>
      )}
      {entries && entries.length > 0 && !list.hasNextPage && total !== undefined && (
        <p className={classes.end}>
          {plural(entries.length, 'entry', 'entries')}, {formatNumber(total)} changed values
        </p>
      )}
    </Page>
  );
}

const NONE: AuditEntry[] = [];

interface StoryProps {
  entry: AuditEntry;
  title: string | undefined;
  open: boolean;
  onToggle: () => void;
}

/** Who did what to which record, in one sentence that folds out. */
function StoryButton({ entry, title, open, onToggle }: StoryProps) {
  const { verb, name, context } = storyOf(entry, title);
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <button
      type="button"
      className={classes.open}
      aria-expanded={open}
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
    >
      <Icon size={16} aria-hidden />
      <span className="ellipsis">
        <strong>{entry.who}</strong> {verb} {name !== '' && <em>{name}</em>} <span className={classes.quiet}>{context}</span>
      </span>
    </button>
  );
}

const MAX_NAMES = 4;

function ChangedNames({ entry }: { entry: AuditEntry }) {
  if (entry.operation !== 'UPDATE') return null;
  const names = tellingChanges(entry).map(({ name }) => name);
  const more = names.length - MAX_NAMES;
  return (
    <span className="mono">
      {names.slice(0, MAX_NAMES).join(', ')}
      {more > 0 && ` +${more}`}
    </span>
  );
}

function TableFilter({ value, onChange }: { value: string | undefined; onChange: (table: string | undefined) => void }) {
  const names = useQuery(collectionNamesQuery).data?.names ?? [];
  const collections = names.map((name) => ({ value: tableOf(name), label: name }));
  const server = SERVER_TABLES.map((name) => ({ value: name, label: name.replaceAll('_', ' ') }));
  const known = [...collections, ...server].some((option) => option.value === value);
  const data = [
    { group: 'Collections', items: value === undefined || known ? collections : [{ value, label: value }, ...collections] },
    { group: 'Server', items: server },
  ];
  return <Select aria-label="Collection" placeholder="Everything" searchable clearable data={data} value={value ?? null} onChange={(next) => onChange(next ?? undefined)} />;
}
