import { Alert, Group, Select, TextInput } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Outlet } from '@tanstack/react-router';
import type { AuditRow } from '@/api/types';
import type { AuditSearch } from '@/app/search';
import { type Column, DataTable } from '@/ui/DataTable';
import { EmptyState } from '@/ui/EmptyState';
import { Page } from '@/ui/Page';
import { PagingBar } from '@/ui/PagingBar';
import { RowLink } from '@/ui/RowLink';
import { SearchBox } from '@/ui/SearchBox';
import { TimeText } from '@/ui/TimeText';
import { ExportMenu } from './ExportMenu';
import { OPERATIONS, operationLabel } from './operations';
import { auditQuery } from './queries';
import { VerifyButton } from './VerifyButton';

const route = getRouteApi('/app/audit');
const PAGE_SIZE = 50;

const columns: Column<AuditRow>[] = [
  {
    key: 'occurred_at',
    header: 'Time',
    cell: ({ id, occurred_at }) => (
      <RowLink to="/audit/$id" params={{ id: String(id) }} search={true}>
        <TimeText value={occurred_at} />
      </RowLink>
    ),
  },
  { key: 'operation', header: 'What', cell: ({ operation }) => operationLabel(operation) },
  { key: 'table_name', header: 'Table', cell: ({ table_name }) => <span className="mono">{table_name}</span> },
  { key: 'column_name', header: 'Column', cell: ({ column_name }) => <span className="mono">{column_name}</span> },
  { key: 'old_value', wide: true, header: 'Before', cell: ({ old_value }) => old_value ?? '–' },
  { key: 'new_value', wide: true, header: 'After', cell: ({ new_value }) => new_value ?? '–' },
  { key: 'user', wide: true, header: 'Who', cell: ({ user_email, user_name }) => user_email ?? user_name },
];

export function AuditPage() {
  const { page = 1, operation, table = '', record, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = { operation, table_name: table || undefined, record_id: record, from_date: from, to_date: to };
  const list = useQuery(auditQuery(filter, (page - 1) * PAGE_SIZE, PAGE_SIZE));
  const update = (patch: AuditSearch) =>
    void navigate({ to: '/audit', search: (before) => ({ ...before, page: undefined, ...patch }), replace: true });
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
        <SearchBox label="Table, such as col_posts" value={table} onChange={(text) => update({ table: text || undefined })} />
        <Select aria-label="Operation" placeholder="Anything" clearable data={OPERATIONS} value={operation ?? null} onChange={(value) => update({ operation: value ?? undefined })} />
        <TextInput aria-label="From" leftSection="From" leftSectionWidth={52} type="date" value={from ?? ''} onChange={(event) => update({ from: event.currentTarget.value || undefined })} />
        <TextInput aria-label="To" leftSection="To" leftSectionWidth={36} type="date" value={to ?? ''} onChange={(event) => update({ to: event.currentTarget.value || undefined })} />
        {record && <SearchBox key={record} label="Record" value={record} onChange={(text) => update({ record: text || undefined })} />}
      </Group>
      {list.data?.audit_logging_enabled === false && (
        <Alert color="yellow" m="md">
          The trail is switched off (audit.logging_enabled): what happens now is not in it.
        </Alert>
      )}
      <DataTable
        error={list.error}
        onRetry={() => void list.refetch()}
        label="Audit trail"
        columns={columns}
        rows={list.data?.items}
        rowKey={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/audit/$id', params: { id: String(id) }, search: true })}
        minWidth={980}
      />
      {list.data?.total === 0 && (
        <EmptyState icon={<IconHistory size={32} stroke={1.5} />} title="Nothing found">
          Every change of a record, an account or a rule leaves a row for each column, and so do sign-ins, refusals and exports.
        </EmptyState>
      )}
      <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />
      <Outlet />
    </Page>
  );
}
