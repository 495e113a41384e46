import { ActionIcon, Menu } from '@mantine/core';
import {
  IconArrowDown,
  IconArrowLeft,
  IconArrowRight,
  IconArrowsHorizontal,
  IconArrowUp,
  IconChevronDown,
  IconEyeOff,
  IconPin,
  IconPinnedOff,
  IconPlus,
} from '@tabler/icons-react';
import { type PointerEvent, useRef } from 'react';
import { FieldTypeIcon } from '@/features/field-types/FieldTypeIcon';
import type { Columns, ShownColumn } from '../columns';
import { cycled, sortKeys } from '../sort';
import classes from './grid.module.css';

const STEP = 32;

interface Props {
  column: ShownColumn;
  columns: Columns;
  lastPinned: boolean;
  sort: string;
  index: number;
  onSort: (sort: string) => void;
}

export function HeadCell({ column, columns, lastPinned, sort, index, onSort }: Props) {
  const { name, field, numeric, sortable, width, left } = column;
  const keys = sortKeys(sort);
  const rank = keys.findIndex((key) => key.name === name);
  const key = keys[rank];
  const Icon = key?.descending ? IconArrowDown : IconArrowUp;
  return (
    <div
      role="columnheader"
      aria-colindex={index + 2}
      aria-sort={key ? (key.descending ? 'descending' : 'ascending') : sortable ? 'none' : undefined}
      className={classes.headCell}
      data-pinned={left !== null || undefined}
      data-last-pinned={lastPinned || undefined}
      style={{ width, left: left ?? undefined }}
    >
      <button
        type="button"
        className={classes.sort}
        data-number={numeric || undefined}
        disabled={!sortable}
        title={sortable ? `Sort by ${name}; with Shift, in addition` : undefined}
        onClick={(event) => onSort(cycled(sort, name, event.shiftKey))}
      >
        {field && <FieldTypeIcon type={field.type} />}
        <span className="mono ellipsis">{name}</span>
        {key && <Icon size={14} aria-hidden style={{ flex: 'none' }} />}
        {key && keys.length > 1 && <span className={classes.rank}>{rank + 1}</span>}
      </button>
      <ColumnMenu {...{ column, columns, sort, onSort }} />
      <ResizeHandle width={width} onResize={(next) => columns.resize(name, next)} />
    </div>
  );
}

function ColumnMenu({ column, columns, sort, onSort }: Pick<Props, 'column' | 'columns' | 'sort' | 'onSort'>) {
  const { name, sortable, left, width } = column;
  const others = sortKeys(sort).filter((key) => key.name !== name);
  const PinIcon = left === null ? IconPin : IconPinnedOff;
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <ActionIcon className={classes.menu} size={22} aria-label={`Column ${name}`}>
          <IconChevronDown size={14} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {sortable && (
          <>
            <Menu.Item leftSection={<IconArrowUp size={16} />} onClick={() => onSort(name)}>
              Sort ascending
            </Menu.Item>
            <Menu.Item leftSection={<IconArrowDown size={16} />} onClick={() => onSort(`-${name}`)}>
              Sort descending
            </Menu.Item>
            {others.length > 0 && (
              <Menu.Item leftSection={<IconPlus size={16} />} onClick={() => onSort(cycled(sort, name, true))}>
                Sort by this, too
              </Menu.Item>
            )}
            <Menu.Divider />
          </>
        )}
        <Menu.Item leftSection={<PinIcon size={16} />} onClick={() => columns.pin(name)}>
          {left === null ? 'Pin to the left' : 'Do not pin'}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowLeft size={16} />} onClick={() => columns.move(name, -1)}>
          Move left
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowRight size={16} />} onClick={() => columns.move(name, 1)}>
          Move right
        </Menu.Item>
        <Menu.Item closeMenuOnClick={false} leftSection={<IconArrowsHorizontal size={16} />} onClick={() => columns.resize(name, width + STEP)}>
          Wider
        </Menu.Item>
        <Menu.Item closeMenuOnClick={false} leftSection={<IconArrowsHorizontal size={16} />} onClick={() => columns.resize(name, width - STEP)}>
          Narrower
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconEyeOff size={16} />} disabled={columns.shown.length === 1} onClick={() => columns.toggle(name)}>
          Hide
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** For the pointer; the column's menu does the same from the keyboard. */
function ResizeHandle({ width, onResize }: { width: number; onResize: (width: number) => void }) {
  const start = useRef<{ x: number; width: number } | null>(null);
  const follow = (event: PointerEvent) => {
    if (start.current) onResize(start.current.width + event.clientX - start.current.x);
  };
  return (
    <div
      className={classes.resize}
      aria-hidden
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={follow}
      onPointerUp={() => {
        start.current = null;
      }}
    />
  );
}
