import { Checkbox, Group, Table } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { RecordRow } from '@/api/types';
import { FieldTypeIcon } from '@/features/collections/FieldTypeIcon';
import { CopyText } from '@/ui/CopyText';
import { shortId } from '@/ui/format';
import { SortHeader } from '@/ui/SortHeader';
import { TableSkeleton } from '@/ui/TableSkeleton';
import { CellValue } from './CellValue';
import type { Column } from './columns';

const route = getRouteApi('/app/collections/$name/records');

interface Props {
  collection: string;
  columns: Column[];
  rows: RecordRow[];
  loading: boolean;
  sort: string;
  selected: string[];
  onSort: (sort: string) => void;
  onSelect: (ids: string[]) => void;
}

export function RecordsTable({ collection, columns, rows, loading, sort, selected, onSort, onSelect }: Props) {
  const navigate = route.useNavigate();
  const open = (id: string) =>
    void navigate({ to: '/collections/$name/records/$id', params: { name: collection, id }, search: (before) => before });
  const all = rows.length > 0 && selected.length === rows.length;
  return (
    <Table.ScrollContainer minWidth={columns.length * 130} type="native">
      <Table className="sb-table">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={36}>
              <Checkbox
                aria-label="Select all records on this page"
                checked={all}
                indeterminate={selected.length > 0 && !all}
                onChange={() => onSelect(all ? [] : rows.map((row) => row.id))}
              />
            </Table.Th>
            {columns.map((column) => (
              <ColumnHeader key={column.name} column={column} sort={sort} onSort={onSort} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {loading && <TableSkeleton rows={10} columns={columns.length + 1} />}
          {rows.map((row) => (
            <Table.Tr
              key={row.id}
              data-clickable
              data-selected={selected.includes(row.id) || undefined}
              onClick={() => open(row.id)}
            >
              <Table.Td onClick={(event) => event.stopPropagation()}>
                <Checkbox
                  aria-label={`Select ${shortId(row.id)}`}
                  checked={selected.includes(row.id)}
                  onChange={(event) =>
                    onSelect(event.currentTarget.checked ? [...selected, row.id] : selected.filter((id) => id !== row.id))
                  }
                />
              </Table.Td>
              {columns.map(({ name, kind }) => (
                <Table.Td key={name} className={kind === 'number' ? 'num' : 'ellipsis'}>
                  {name === 'id' ? <RecordLink collection={collection} id={row.id} /> : <CellValue kind={kind} value={row[name]} />}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface HeaderProps {
  column: Column;
  sort: string;
  onSort: (sort: string) => void;
}

function ColumnHeader({ column: { name, kind, sortable }, sort, onSort }: HeaderProps) {
  const label = (
    <Group component="span" gap={4} wrap="nowrap" display="inline-flex">
      <FieldTypeIcon type={kind} />
      <span className="mono">{name}</span>
    </Group>
  );
  if (!sortable) return <Table.Th>{label}</Table.Th>;
  const direction = sort === name ? 'asc' : sort === `-${name}` ? 'desc' : null;
  return (
    <SortHeader direction={direction} numeric={kind === 'number'} onSort={() => onSort(direction === 'asc' ? `-${name}` : name)}>
      {label}
    </SortHeader>
  );
}

/** The id is the row's link, for the keyboard and for opening in a new tab, and can still be copied. */
function RecordLink({ collection, id }: { collection: string; id: string }) {
  return (
    <Group gap={8} wrap="nowrap" onClick={(event) => event.stopPropagation()}>
      <Link
        to="/collections/$name/records/$id"
        params={{ name: collection, id }}
        search={(before) => before}
        className="mono"
        style={{ color: 'inherit' }}
        aria-label={`Open ${shortId(id)}`}
      >
        {shortId(id)}
      </Link>
      <CopyText value={id} icon />
    </Group>
  );
}
