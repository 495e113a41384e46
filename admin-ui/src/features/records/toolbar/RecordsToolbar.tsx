import { ActionIcon, Group, Tooltip } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import type { FieldDefinition } from '@/api/types';
import { ScopeNote } from '@/features/accounts/ScopeNote';
import { SearchBox } from '@/ui/SearchBox';
import type { Columns } from '../columns';
import { FilterBar } from '../filter/FilterBar';
import { searchable } from '../filter/filter-text';
import type { ListQuery } from '../queries';
import { ColumnsMenu } from './ColumnsMenu';
import { MoreMenu } from './MoreMenu';
import type { SavedView } from './saved-views';
import classes from './toolbar.module.css';
import { ViewsMenu } from './ViewsMenu';

interface Props {
  collection: string;
  fields: FieldDefinition[];
  columns: Columns;
  view: Omit<SavedView, 'name' | 'layout'>;
  /** Filter and search together: what the list is asked for. */
  list: ListQuery;
  filterError: string | undefined;
  refreshing: boolean;
  onView: (view: Partial<Omit<SavedView, 'name' | 'layout'>>) => void;
  onRefresh: () => void;
}

export function RecordsToolbar({ collection, fields, columns, view, list, filterError, refreshing, onView, onRefresh }: Props) {
  const pick = ({ layout, sort, filter, search }: SavedView) => {
    columns.setLayout(layout);
    onView({ sort, filter, search });
  };
  return (
    <Group p="xs" px="md" gap="xs" align="flex-start">
      {searchable(fields).length > 0 && (
        <SearchBox shared label="Search records" value={view.search} onChange={(search) => onView({ search })} />
      )}
      <FilterBar
        filter={view.filter}
        error={filterError}
        fields={fields}
        onFilter={(filter) => (filter === view.filter ? onRefresh() : onView({ filter }))}
      />
      <ScopeNote />
      <Group gap={2} wrap="nowrap" className={classes.tools}>
        <ColumnsMenu columns={columns} />
        <ViewsMenu collection={collection} current={{ ...view, layout: columns.layout }} onPick={pick} />
        <Tooltip label="Reload">
          <ActionIcon aria-label="Reload" size={32} aria-busy={refreshing} onClick={onRefresh}>
            <IconRefresh size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
        <MoreMenu collection={collection} fields={fields} columns={columns.shown.map((column) => column.name)} list={list} />
      </Group>
    </Group>
  );
}
