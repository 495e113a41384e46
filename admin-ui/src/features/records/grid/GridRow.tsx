import { IconArrowsDiagonal } from '@tabler/icons-react';
import { memo, type ReactNode } from 'react';
import type { RecordRow } from '@/api/types';
import { Faint } from '@/features/field-types/parts/cells';
import { shortId } from '@/ui/format';
import type { ShownColumn } from '../columns';
import type { Titles } from '../titles';
import { CellEditor } from './CellEditor';
import classes from './grid.module.css';

export interface RowActions {
  activate: (row: number, column: number) => void;
  edit: (row: number, column: number) => void;
  select: (id: string, range: boolean) => void;
  closeEditor: () => void;
}

interface Props {
  collection: string;
  gridId: string;
  index: number;
  top: number;
  width: number;
  row: RecordRow | undefined;
  titles: Titles;
  columns: ShownColumn[];
  selected: boolean;
  gone: boolean;
  /** Names of values that somebody else has just changed. */
  flash: string[] | undefined;
  active: number | null;
  editing: number | null;
  /** What was typed to begin editing, in place of the value. */
  typed: string | null;
  actions: RowActions;
}

export const GridRow = memo(function GridRow(props: Props) {
  const { collection, gridId, index, top, width, row, titles, columns, selected, gone, flash, active, editing, typed, actions } = props;
  const pinned = columns.findLastIndex((column) => column.left !== null) + 1;
  const cells = columns.map((column, at) => (
    <Cell
      key={column.name}
      id={`${gridId}-${index}-${at}`}
      column={column}
      index={at}
      lastPinned={at === pinned - 1}
      active={active === at}
      editing={editing === at}
      flash={flash !== undefined && (flash.length === 0 || flash.includes(column.name))}
    >
      {!row && <span className={classes.bone} style={{ width: `${40 + ((index * 7 + at * 13) % 45)}%` }} />}
      {row && editing === at && column.field && (
        <CellEditor collection={collection} row={row} field={column.field} typed={typed} onClose={actions.closeEditor} />
      )}
      {row && editing !== at && <Value {...{ collection, row, column, titles }} />}
    </Cell>
  ));
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={row ? selected : undefined}
      className={classes.row}
      data-selected={selected || undefined}
      data-gone={gone || undefined}
      data-at={active !== null || undefined}
      style={{ transform: `translateY(${top}px)`, width }}
    >
      {/* One layer for what stays at the left, not one for each cell. */}
      <div role="presentation" className={classes.pins}>
        <div role="gridcell" aria-colindex={1} className={`${classes.cell ?? ''} ${classes.tools ?? ''}`}>
          {row && <RowTools {...{ collection, row, selected, actions }} />}
        </div>
        {cells.slice(0, pinned)}
      </div>
      {cells.slice(pinned)}
    </div>
  );
});

interface CellProps {
  id: string;
  column: ShownColumn;
  index: number;
  lastPinned: boolean;
  active: boolean;
  editing: boolean;
  flash: boolean;
  children: ReactNode;
}

function Cell({ id, column, index, lastPinned, active, editing, flash, children }: CellProps) {
  return (
    <div
      role="gridcell"
      id={id}
      aria-colindex={index + 2}
      className={classes.cell}
      data-number={column.numeric || undefined}
      data-last-pinned={lastPinned || undefined}
      data-active={active || undefined}
      data-editing={editing || undefined}
      data-flash={flash || undefined}
      style={{ width: column.width }}
    >
      {children}
    </div>
  );
}

/** A plain link, for there are two in each row; the grid follows it without leaving the page. */
const addressOf = (collection: string, id: string) => `/admin/collections/${collection}/records/${id}`;

/** Out of the tab order: the grid's own keys do the same. */
function RowTools({ collection, row, selected, actions }: Pick<Props, 'collection' | 'selected' | 'actions'> & { row: RecordRow }) {
  const short = shortId(row.id);
  return (
    <>
      <input
        type="checkbox"
        tabIndex={-1}
        className={classes.check}
        aria-label={`Select ${short}`}
        checked={selected}
        onChange={(event) => actions.select(row.id, (event.nativeEvent as MouseEvent).shiftKey)}
      />
      <a tabIndex={-1} href={addressOf(collection, row.id)} data-record={row.id} className={classes.open} aria-label={`Open ${short}`}>
        <IconArrowsDiagonal size={16} aria-hidden />
      </a>
    </>
  );
}

function Value({ collection, row, column, titles }: Pick<Props, 'collection' | 'titles'> & { row: RecordRow; column: ShownColumn }) {
  const value = row[column.name];
  if (value === null || value === undefined) return <Faint title="null">–</Faint>;
  if (column.name !== 'id') return column.cell(value, titles.get(column.name));
  return (
    <a tabIndex={-1} href={addressOf(collection, row.id)} data-record={row.id} className={classes.id} title={row.id}>
      {shortId(row.id)}
    </a>
  );
}
