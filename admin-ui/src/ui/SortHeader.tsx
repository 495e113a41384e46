import { Table } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface Props {
  children: ReactNode;
  direction: 'asc' | 'desc' | null;
  numeric?: boolean;
  /** Left out on narrow pages. */
  wide?: boolean;
  onSort: () => void;
}

export function SortHeader({ children, direction, numeric = false, wide = false, onSort }: Props) {
  const Icon = direction === 'asc' ? IconArrowUp : IconArrowDown;
  const sorted = direction === 'asc' ? 'ascending' : 'descending';
  return (
    <Table.Th className={numeric ? 'num' : wide ? 'sb-wide' : undefined} aria-sort={direction ? sorted : 'none'}>
      <button type="button" className="sb-sort" style={numeric ? { flexDirection: 'row-reverse' } : undefined} onClick={onSort}>
        {children}
        <Icon size={14} aria-hidden style={{ visibility: direction ? 'visible' : 'hidden' }} />
      </button>
    </Table.Th>
  );
}
