import { Checkbox } from '@mantine/core';
import { memo } from 'react';
import type { Columns } from '../columns';
import classes from './grid.module.css';
import { HeadCell } from './HeadCell';

interface Props {
  columns: Columns;
  width: number;
  sort: string;
  /** How many of the loaded records are selected. */
  chosen: 'none' | 'some' | 'all';
  onSort: (sort: string) => void;
  onChoose: (all: boolean) => void;
}

/** Memoised: its menus are costly, and nothing in it changes while one scrolls. */
export const GridHead = memo(function GridHead({ columns, width, sort, chosen, onSort, onChoose }: Props) {
  const lastPinned = columns.shown.findLastIndex((column) => column.left !== null);
  return (
    <div role="rowgroup" className={classes.head} style={{ width, minWidth: '100%' }}>
      <div role="row" aria-rowindex={1} style={{ display: 'flex' }}>
        <div role="columnheader" aria-colindex={1} className={`${classes.headCell ?? ''} ${classes.tools ?? ''}`} data-pinned>
          <Checkbox
            aria-label="Select the loaded records"
            checked={chosen === 'all'}
            indeterminate={chosen === 'some'}
            onChange={() => onChoose(chosen === 'none')}
          />
        </div>
        {columns.shown.map((column, index) => (
          <HeadCell key={column.name} {...{ column, columns, sort, onSort, index }} lastPinned={index === lastPinned} />
        ))}
      </div>
    </div>
  );
});
