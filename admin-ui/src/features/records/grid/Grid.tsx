import { useVirtualizer } from '@tanstack/react-virtual';
import { type ClipboardEvent, lazy, type MouseEvent, Suspense, useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { RecordRow } from '@/api/types';
import { openDialog } from '@/ui/keep-focus';
import { titleWhenCut } from '@/ui/title-when-cut';
import { type Columns, SELECT_WIDTH } from '../columns';
import { useGridKeys } from './use-grid-keys';
import { GridHead } from './GridHead';
import { GridRow, type RowActions } from './GridRow';
import classes from './grid.module.css';
import { type Pasted, pastedValues } from './paste';
import { placeOf } from './place';
import { PAGE_SIZE, type Rows } from './use-rows';
import type { Selection } from './use-selection';
import type { Titles } from '../titles';

const PasteDialog = lazy(() => import('./PasteDialog').then((module) => ({ default: module.PasteDialog })));

const ROW_HEIGHT = 34;
/** While the scroll bar is dragged nothing is loaded until it rests this long. */
const REST = 80;
/** The next page is asked for when its first row is this near. */
const AHEAD = 40;

interface Props {
  collection: string;
  columns: Columns;
  rows: Rows;
  titles: Titles;
  sort: string;
  selection: Selection;
  flashes: ReadonlyMap<string, string[]>;
  gone: ReadonlySet<string>;
  onSort: (sort: string) => void;
  onPages: (pages: number[]) => void;
  onOpen: (id: string) => void;
  onDelete: () => void;
  /** The name of the column that the keys are at. */
  onColumn: (name: string) => void;
}

export function Grid(props: Props) {
  const { collection, columns, rows, titles, sort, selection, flashes, gone, onSort, onPages, onOpen, onDelete, onColumn } = props;
  const gridId = useId();
  const [pasted, setPasted] = useState<Pasted | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const count = rows.total ?? 30;
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are memoised by hand, nothing compiles this
  const virtual = useVirtualizer({ count, getScrollElement: () => scroller.current, estimateSize: () => ROW_HEIGHT, overscan: 8 });
  const items = virtual.getVirtualItems();
  usePagesInView(items[0]?.index ?? 0, items.at(-1)?.index ?? 0, count, onPages);
  const keys = useGridKeys({
    rows,
    count,
    columns: columns.shown,
    pageRows: Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / ROW_HEIGHT) - 2),
    scrollTo: (row) => virtual.scrollToIndex(row),
    selection,
    onOpen,
    onDelete,
  });
  const { at, editing, typed } = keys;
  useEffect(() => {
    // A dialog may stand over the grid: the focus is not the grid's then.
    if (!editing && document.activeElement === document.body && !openDialog()) scroller.current?.focus({ preventScroll: true });
  }, [editing]);
  const columnAt = at === null ? undefined : columns.shown[at.column]?.name;
  useEffect(() => {
    if (columnAt !== undefined) onColumn(columnAt);
  }, [columnAt, onColumn]);
  const { activate, edit, closeEditor } = keys;
  const { toggle } = selection;
  const actions: RowActions = useMemo(() => ({ activate, edit, closeEditor, select: toggle }), [activate, edit, closeEditor, toggle]);
  const width = SELECT_WIDTH + columns.shown.reduce((sum, column) => sum + column.width, 0);
  const here = at !== null && items.some((item) => item.index === at.row) ? `${gridId}-${at.row}-${at.column}` : undefined;
  const { loaded } = rows;
  const { has, set } = selection;
  const chosen = useMemo(() => {
    const count = loaded.filter((row) => has(row.id)).length;
    return count === 0 ? 'none' : count === loaded.length ? 'all' : 'some';
  }, [loaded, has]);
  const choose = useCallback((all: boolean) => set(all ? loaded.map((row) => row.id) : []), [set, loaded]);
  // One listener for thousands of cells.
  const onPaste = (event: ClipboardEvent) => {
    // An open editor takes what is pasted into it.
    const text = event.clipboardData.getData('text/plain');
    if (event.target !== event.currentTarget || at === null || text === '') return;
    event.preventDefault();
    setPasted(pastedValues(text, at, columns.shown, rows.at));
  };
  const onPointerDown = (event: MouseEvent) => {
    const place = placeOf(event.target);
    if (place) activate(place.row, place.column);
  };
  const onDoubleClick = (event: MouseEvent) => {
    const place = placeOf(event.target);
    if (place) edit(place.row, place.column);
  };
  const onClick = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>('a[data-record]') : null;
    // With a modifier it opens in another tab, as links do.
    if (!link?.dataset.record || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen(link.dataset.record);
  };
  return (
    <div
      ref={scroller}
      role="grid"
      tabIndex={0}
      aria-label={`Records of ${collection}`}
      aria-rowcount={rows.total === undefined ? -1 : rows.total + 1}
      aria-colcount={columns.shown.length + 1}
      aria-multiselectable
      aria-busy={rows.fetching}
      aria-activedescendant={here}
      className={classes.scroller}
      onKeyDown={keys.onKeyDown}
      onFocus={keys.onFocus}
      onPaste={onPaste}
    >
      <Suspense>{pasted && <PasteDialog collection={collection} pasted={pasted} onClose={() => setPasted(null)} />}</Suspense>
      <GridHead {...{ columns, width, sort, chosen, onSort }} onChoose={choose} />
      <div
        role="rowgroup"
        className={classes.body}
        style={{ height: virtual.getTotalSize(), width, minWidth: '100%' }}
        onPointerDown={onPointerDown}
        onDoubleClick={onDoubleClick}
        onClick={onClick}
        onMouseOver={titleWhenCut}
      >
        {items.map((item) => {
          const row: RecordRow | undefined = rows.at(item.index);
          const column = at?.row === item.index ? at.column : null;
          return (
            <GridRow
              key={item.key}
              collection={collection}
              gridId={gridId}
              index={item.index}
              top={item.start}
              width={width}
              row={row}
              titles={titles}
              columns={columns.shown}
              selected={row !== undefined && selection.has(row.id)}
              gone={row !== undefined && gone.has(row.id)}
              flash={row && flashes.get(row.id)}
              active={column}
              editing={editing ? column : null}
              typed={editing && column !== null ? typed : null}
              actions={actions}
            />
          );
        })}
      </div>
    </div>
  );
}

/** Tells which pages the rows in view belong to, once the scrolling rests. */
function usePagesInView(first: number, last: number, count: number, onPages: (pages: number[]) => void): void {
  const from = Math.floor(Math.max(0, first - AHEAD) / PAGE_SIZE);
  const to = Math.floor(Math.min(count - 1, last + AHEAD) / PAGE_SIZE);
  const latest = useRef(onPages);
  useEffect(() => {
    latest.current = onPages;
  }, [onPages]);
  useEffect(() => {
    const timer = window.setTimeout(() => latest.current(Array.from({ length: to - from + 1 }, (_, index) => from + index)), REST);
    return () => window.clearTimeout(timer);
  }, [from, to]);
}
