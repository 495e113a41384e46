import { Table } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Fragment, type ReactNode } from 'react';
import { ErrorPanel } from './ErrorPanel';
import { SortHeader } from './SortHeader';
import { TableSkeleton } from './TableSkeleton';
import { titleWhenCut } from './title-when-cut';

export interface Column<T> {
  /** Names the column; the key to sort by where that is possible. */
  key: string;
  header: string;
  sortable?: boolean;
  numeric?: boolean;
  /** Left out where there is no room; the row's own page has it. */
  wide?: boolean;
  /** Takes the room that the others leave. */
  main?: boolean;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  /** Undefined while they are loaded. */
  rows: T[] | undefined;
  rowKey: (row: T) => string | number;
  /** As in the address: the key, with `-` before it for the other direction. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** What a click anywhere on the row does; for the keyboard, a cell holds a link that does the same. */
  onOpen?: (row: T) => void;
  /** What is folded out below a row; null for the others. */
  below?: (row: T) => ReactNode;
  minWidth?: number;
  /** Why there are no rows, or no newer ones. */
  error?: unknown;
  onRetry?: () => void;
}

/** A table of what a list endpoint answers, with a skeleton of the same height before; nothing when there is nothing. */
export function DataTable<T>({ label, columns: all, rows, rowKey, sort, onSort, onOpen, below, minWidth = 640, error, onRetry }: Props<T>) {
  const narrow = useMediaQuery('(max-width: 36em)', undefined, { getInitialValueInEffect: false });
  const columns = narrow ? all.filter((column) => !column.wide) : all;
  const failure = error ? <ErrorPanel inset error={error} onRetry={onRetry} /> : null;
  if (rows?.length === 0 || (!rows && failure)) return failure;
  const direction = (key: string) => (sort === key ? ('asc' as const) : sort === `-${key}` ? ('desc' as const) : null);
  return (
    <>
      {failure}
      <Table.ScrollContainer minWidth={narrow ? 320 : minWidth} type="native">
        <Table className="sb-table" aria-label={label} onMouseOver={titleWhenCut}>
          <Table.Thead>
            <Table.Tr>
              {columns.map(({ key, header, sortable, numeric }) =>
                sortable && onSort ? (
                  <SortHeader key={key} numeric={numeric} direction={direction(key)} onSort={() => onSort(sort === key ? `-${key}` : key)}>
                    {header}
                  </SortHeader>
                ) : (
                  <Table.Th key={key} className={numeric ? 'num' : undefined}>
                    {header}
                  </Table.Th>
                ),
              )}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {!rows && <TableSkeleton rows={8} columns={columns.length} />}
            {rows?.map((row) => {
              const folded = below?.(row);
              return (
                <Fragment key={rowKey(row)}>
                  <Table.Tr data-clickable={onOpen ? true : undefined} data-selected={folded ? true : undefined} onClick={onOpen && (() => onOpen(row))}>
                    {columns.map(({ key, numeric, main, cell }) => (
                      <Table.Td key={key} className={numeric ? 'num' : main ? 'ellipsis sb-main' : 'ellipsis'}>
                        {cell(row)}
                      </Table.Td>
                    ))}
                  </Table.Tr>
                  {folded && (
                    <Table.Tr>
                      <Table.Td colSpan={columns.length} className="sb-below">
                        {folded}
                      </Table.Td>
                    </Table.Tr>
                  )}
                </Fragment>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}
