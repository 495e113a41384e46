import { Button } from '@mantine/core';
import { IconFilterOff, IconPlus, IconTable } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '@/api/errors';
import type { RecordsSearch } from '@/app/search';
import { collectionQuery } from '@/features/collections/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { PagingBar } from '@/ui/PagingBar';
import { BulkBar } from './BulkBar';
import { useColumns } from './columns';
import { recordPageQuery } from './queries';
import { RecordsTable } from './RecordsTable';
import { RecordsToolbar } from './RecordsToolbar';

const route = getRouteApi('/app/collections/$name/records');
const PAGE_SIZE = 50;

export function RecordsTab() {
  const { name } = route.useParams();
  return <Records key={name} name={name} />;
}

function Records({ name }: { name: string }) {
  const { page = 1, sort = '-created_at', filter = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: collection } = useSuspenseQuery(collectionQuery(name));
  const list = useQuery(recordPageQuery(name, { skip: (page - 1) * PAGE_SIZE, limit: PAGE_SIZE, sort, filter }));
  const columns = useColumns(name, collection.schema);
  const [selected, setSelected] = useState<string[]>([]);
  const update = (patch: RecordsSearch) =>
    void navigate({ to: '/collections/$name/records', params: { name }, search: (before) => ({ ...before, page: undefined, ...patch }) });
  const filterError = filter !== '' && list.error instanceof ApiError && list.error.status === 400 ? list.error : null;
  const rows = list.error ? [] : (list.data?.items ?? []);
  // A row that is not on the page any more must not be deleted by accident.
  const marked = selected.filter((id) => rows.some((row) => row.id === id));
  const empty = !list.error && list.data?.items.length === 0;
  return (
    <>
      <RecordsToolbar
        filter={filter}
        filterError={filterError?.message}
        fields={collection.schema}
        columns={columns}
        onFilter={(text) => update({ filter: text || undefined })}
        onRefresh={() => void list.refetch()}
        refreshing={list.isFetching}
      />
      {list.error && !filterError && <ErrorPanel inset error={list.error} onRetry={() => void list.refetch()} />}
      <BulkBar collection={name} ids={marked} onDone={() => setSelected([])} />
      {empty ? (
        <Nothing name={name} filtered={filter !== ''} onClear={() => update({ filter: undefined })} />
      ) : (
        <RecordsTable
          collection={name}
          columns={columns.shown}
          rows={rows}
          loading={list.isPending}
          sort={sort}
          selected={marked}
          onSort={(next) => update({ sort: next })}
          onSelect={setSelected}
        />
      )}
      {!list.error && <PagingBar page={page} pageSize={PAGE_SIZE} total={list.data?.total} onPage={(next) => update({ page: next })} />}
      <Outlet />
    </>
  );
}

function Nothing({ name, filtered, onClear }: { name: string; filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState
        icon={<IconFilterOff size={32} stroke={1.5} />}
        title="No record matches the filter"
        action={
          <Button variant="default" onClick={onClear}>
            Clear the filter
          </Button>
        }
      >
        Loosen it, or clear it to see everything.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<IconTable size={32} stroke={1.5} />}
      title="No records yet"
      action={
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          renderRoot={(props) => <Link to="/collections/$name/records/new" params={{ name }} {...props} />}
        >
          Create the first record
        </Button>
      }
    >
      Records come from your applications through <span className="mono">POST /api/v1/records/{name}</span>, or from here.
    </EmptyState>
  );
}
