import { Button } from '@mantine/core';
import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Outlet } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ApiError } from '@/api/errors';
import type { AppSearch, RecordsSearch } from '@/app/search';
import { collectionQuery } from '@/features/collections/queries';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { formatNumber, plural } from '@/ui/format';
import { BulkBar } from './bulk/BulkBar';
import { ColumnSummary } from './ColumnSummary';
import { useColumns } from './columns';
import { both, searchText } from './filter/filter-text';
import { quoted } from '@/features/field-types/parts/filters';
import { Grid } from './grid/Grid';
import classes from './grid/grid.module.css';
import { useLiveRows } from './grid/use-live-rows';
import { MOST_ROWS, useRows } from './grid/use-rows';
import { useSelection } from './grid/use-selection';
import { NoRecords } from './NoRecords';
import { type ListQuery, refreshRecords } from './queries';
import { DEFAULT_SORT } from './sort';
import { referencesOf, useTitles } from './titles';
import { LiveDot } from './toolbar/LiveDot';
import { RecordsToolbar } from './toolbar/RecordsToolbar';

const route = getRouteApi('/app/collections/$name/records');

export function RecordsTab() {
  const { name } = route.useParams();
  return <Records key={name} name={name} />;
}

/** What a click on a record needs is there before it, without being waited for. */
function useDrawerAhead(): void {
  useEffect(() => {
    const timer = window.setTimeout(() => void import('./RecordDrawer'), 1000);
    return () => window.clearTimeout(timer);
  }, []);
}

function Records({ name }: { name: string }) {
  const { sort = DEFAULT_SORT, filter = '', q = '', account } = route.useSearch();
  const navigate = route.useNavigate();
  useDrawerAhead();
  const queries = useQueryClient();
  const { data: collection } = useSuspenseQuery(collectionQuery(name));
  // With an index the server searches; without one the same filter does that anybody could write.
  const indexed = collection.schema.some((field) => field.searchable);
  const searched = indexed ? filter : both(filter, searchText(q, collection.schema));
  const asked = account === undefined ? searched : both(searched, `account_id = ${quoted(account)}`);
  const list: ListQuery = { sort, filter: asked, ...(indexed && q !== '' && { search: q }) };
  const [pages, setPages] = useState<number[]>([0]);
  const references = useMemo(() => referencesOf(collection.schema), [collection.schema]);
  const rows = useRows(name, list, references, pages);
  const titles = useTitles(references);
  const columns = useColumns(name, collection.schema);
  const { fit } = columns;
  const [first] = rows.loaded;
  const fits = useRef(false);
  useEffect(() => {
    if (fits.current || !first) return;
    fits.current = true;
    fit(rows.loaded);
  }, [first, fit, rows.loaded]);
  const selection = useSelection(rows.loaded);
  const [deleting, setDeleting] = useState(false);
  const [arrived, setArrived] = useState(0);
  const [column, setColumn] = useState<string>();

  const refresh = useCallback(() => {
    setArrived(0);
    refreshRecords(queries, name);
  }, [queries, name]);
  // The newest come in at the top; elsewhere nothing may move under the hand.
  const atTop = pages.length === 1 && pages[0] === 0 && sort === DEFAULT_SORT && rows.total !== undefined && rows.total < 10_000;
  const live = useLiveRows(name, (count) => (atTop ? refresh() : setArrived((before) => before + count)));

  const update = (patch: RecordsSearch & AppSearch) => {
    setArrived(0);
    void navigate({ to: '/collections/$name/records', params: { name }, search: (before) => ({ ...before, ...patch }) });
  };
  const open = (id: string) => void navigate({ to: '/collections/$name/records/$id', params: { name, id }, search: (before) => before });
  const filtered = filter !== '' || q !== '' || account !== undefined;
  const filterError = asked !== '' && rows.error instanceof ApiError && rows.error.status === 400 ? rows.error : null;
  const empty = !rows.error && rows.total === 0;
  return (
    <div className={classes.frame}>
      <RecordsToolbar
        collection={name}
        fields={collection.schema}
        columns={columns}
        view={{ sort, filter, search: q }}
        list={list}
        filterError={filterError?.message}
        refreshing={rows.fetching}
        onView={(view) => update(searchOf({ sort, filter, search: q, ...view }))}
        onRefresh={refresh}
      />
      {rows.error !== null && !filterError && <ErrorPanel inset error={rows.error} onRetry={refresh} />}
      <BulkBar
        collection={name}
        fields={collection.schema}
        list={list}
        total={rows.total ?? 0}
        selection={selection}
        deleting={deleting && selection.ids.length > 0}
        onDeleting={setDeleting}
      />
      {empty ? (
        <div style={{ flex: 1, overflow: 'auto' }}>
          <NoRecords name={name} filtered={filtered} onClear={() => update({ filter: undefined, q: undefined, account: undefined })} />
        </div>
      ) : (
        <Grid
          key={`${sort} ${asked} ${q}`}
          collection={name}
          columns={columns}
          titles={titles}
          // What cannot be loaded has no skeleton either.
          rows={rows.error && rows.total === undefined ? { ...rows, total: 0 } : rows}
          sort={sort}
          selection={selection}
          flashes={live.flashes}
          gone={live.gone}
          onSort={(next) => update({ sort: next === DEFAULT_SORT ? undefined : next })}
          onPages={setPages}
          onOpen={open}
          onDelete={() => setDeleting(true)}
          onColumn={setColumn}
        />
      )}
      <footer className={classes.status}>
        <span className="tabular" aria-live="polite">
          {rows.total !== undefined ? plural(rows.total, 'record') : rows.error ? 'Not loaded' : 'Loading'}
          {rows.total === MOST_ROWS && ' can be shown, filter to see others'}
        </span>
        {arrived > 0 && (
          <Button size="compact-xs" variant="light" onClick={refresh}>
            Show {formatNumber(arrived)} new
          </Button>
        )}
        <ColumnSummary collection={name} field={collection.schema.find((field) => field.name === column)} list={list} />
        <span style={{ marginLeft: 'auto' }}>
          <LiveDot connection={live.connection} />
        </span>
      </footer>
      <Outlet />
    </div>
  );
}

/** Only what differs from the default stays in the address. */
function searchOf(view: { sort: string; filter: string; search: string }): RecordsSearch {
  return { sort: view.sort === DEFAULT_SORT ? undefined : view.sort, filter: view.filter || undefined, q: view.search || undefined };
}
