import { Checkbox } from '@mantine/core';
import { IconArrowsDiagonal } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo, type ReactNode } from 'react';
import type { RecordRow } from '@/api/types';
import { shortId } from '@/ui/format';
import { CellValue } from '../CellValue';
import type { ShownColumn } from '../columns';
import { ReferenceValue } from '../ReferenceValue';
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
  const lastPinned = columns.findLastIndex((column) => column.left !== null);
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
      <div role="gridcell" aria-colindex={1} className={`${classes.cell ?? ''} ${classes.tools ?? ''}`}>
        {row && <RowTools {...{ collection, row, selected, actions }} />}
      </div>
      {columns.map((column, at) => (
        <Cell
          key={column.name}
          id={`${gridId}-${index}-${at}`}
          column={column}
          index={at}
          lastPinned={at === lastPinned}
          active={active === at}
          editing={editing === at}
          flash={flash !== undefined && (flash.length === 0 || flash.includes(column.name))}
          onPointerDown={() => actions.activate(index, at)}
          onDoubleClick={() => actions.edit(index, at)}
        >
          {!row && <span className={classes.bone} style={{ width: `${40 + ((index * 7 + at * 13) % 45)}%` }} />}
          {row && editing === at && column.field && (
            <CellEditor collection={collection} row={row} field={column.field} typed={typed} onClose={actions.closeEditor} />
          )}
          {row && editing !== at && <Value {...{ collection, row, column, titles }} />}
        </Cell>
      ))}
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
  onPointerDown: () => void;
  onDoubleClick: () => void;
  children: ReactNode;
}

function Cell({ id, column, index, lastPinned, active, editing, flash, onPointerDown, onDoubleClick, children }: CellProps) {
  return (
    <div
      role="gridcell"
      id={id}
      aria-colindex={index + 2}
      className={classes.cell}
      data-number={column.kind === 'number' || undefined}
      data-pinned={column.left !== null || undefined}
      data-last-pinned={lastPinned || undefined}
      data-active={active || undefined}
      data-editing={editing || undefined}
      data-flash={flash || undefined}
      style={{ width: column.width, left: column.left ?? undefined }}
      onPointerDown={editing ? undefined : onPointerDown}
      onDoubleClick={editing ? undefined : onDoubleClick}
    >
      {children}
    </div>
  );
}

/** Out of the tab order: the grid's own keys do the same. */
function RowTools({ collection, row, selected, actions }: Pick<Props, 'collection' | 'selected' | 'actions'> & { row: RecordRow }) {
  return (
    <>
      <Checkbox
        tabIndex={-1}
        aria-label={`Select ${shortId(row.id)}`}
        checked={selected}
        onChange={(event) => actions.select(row.id, (event.nativeEvent as MouseEvent).shiftKey)}
      />
      <Link
        tabIndex={-1}
        to="/collections/$name/records/$id"
        params={{ name: collection, id: row.id }}
        search={(before) => before}
        className={classes.open}
        aria-label={`Open ${shortId(row.id)}`}
      >
        <IconArrowsDiagonal size={16} aria-hidden />
      </Link>
    </>
  );
}

function Value({ collection, row, column, titles }: Pick<Props, 'collection' | 'titles'> & { row: RecordRow; column: ShownColumn }) {
  const value = row[column.name];
  if (column.kind === 'reference' && typeof value === 'string') {
    return <ReferenceValue id={value} title={titles.get(column.name)?.get(value)} />;
  }
  if (column.name !== 'id') return <CellValue kind={column.kind} value={value} />;
  return (
    <Link
      tabIndex={-1}
      to="/collections/$name/records/$id"
      params={{ name: collection, id: row.id }}
      search={(before) => before}
      className="mono"
      style={{ color: 'inherit' }}
      title={row.id}
    >
      {shortId(row.id)}
    </Link>
  );
}
