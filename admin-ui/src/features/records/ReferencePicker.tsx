import { ActionIcon, Select, type SelectProps, Text, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconExternalLink } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { collectionQuery } from '@/features/collections/queries';
import type { RecordPickerProps } from '@/features/field-types/definition';
import { ErrorWords } from '@/ui/ErrorWords';
import { quoted } from '@/features/field-types/parts/filters';
import { both } from './filter/filter-text';
import { recordQuery, recordsQuery } from './queries';
import { referenceFilter, titleField, titleOf } from './reference';
import { rememberTitles } from './titles';

/** Finds a record of the target collection by its title or id. */
export function ReferencePicker({ target, account, value, onChange, error, bare = false, opened = false, w, ...labels }: RecordPickerProps) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  const collection = useQuery({ ...collectionQuery(target), enabled: target !== '' });
  const field = collection.data ? titleField(collection.data) : null;
  const current = useQuery({ ...recordQuery(target, value), enabled: value !== '' && collection.isSuccess });
  const currentTitle = current.data ? titleOf(current.data, field) : value;
  // The chosen title stands in the box until something else is typed.
  const typed = settled === currentTitle ? '' : referenceFilter(settled, field);
  const filter = account === undefined ? typed : both(`account_id = ${quoted(account)}`, typed);
  const found = useQuery({ ...recordsQuery(target, { skip: 0, limit: 20, filter }), enabled: collection.isSuccess });
  const queries = useQueryClient();
  const items = found.data?.items;
  useEffect(() => {
    if (items) rememberTitles(queries, target, items, field);
  }, [queries, target, items, field]);
  const records = found.data?.items ?? [];
  const options = records.map((record) => ({ value: record.id, label: titleOf(record, field) }));
  // Where records of several accounts are offered, each says whose it is.
  const owners = new Map(account === undefined ? records.map(({ id, account_name }) => [id, account_name ?? '']) : []);
  const renderOption: SelectProps['renderOption'] = ({ option }) => (
    <div style={{ minWidth: 0 }}>
      {option.label}
      {owners.get(option.value) && (
        <Text fz="xs" c="dimmed" lh={1.3}>
          {owners.get(option.value)}
        </Text>
      )}
    </div>
  );
  if (value !== '' && !options.some((option) => option.value === value)) options.unshift({ value, label: currentTitle });
  const failure = collection.error ?? found.error;
  return (
    <Select
      {...(bare ? { 'aria-label': labels.label } : labels)}
      {...(opened && { autoFocus: true, defaultDropdownOpened: true, miw: 240 })}
      w={w}
      placeholder={`Search ${target}`}
      searchable
      clearable
      data={options}
      renderOption={renderOption}
      filter={({ options: unfiltered }) => unfiltered}
      nothingFoundMessage={found.isPending ? 'Loading' : 'No matching record'}
      value={value === '' ? null : value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(id) => onChange(id ?? '')}
      {...(!bare && value !== '' && { leftSection: <OpenRecord target={target} id={value} />, leftSectionPointerEvents: 'all' as const })}
      error={error ?? (failure && <ErrorWords error={failure} />)}
    />
  );
}

/** Leads to the record that is chosen. */
function OpenRecord({ target, id }: { target: string; id: string }) {
  return (
    <Tooltip label={`Open in ${target}`}>
      <ActionIcon
        size={24}
        aria-label={`Open the record of ${target}`}
        renderRoot={(props) => <Link to="/collections/$name/records/$id" params={{ name: target, id }} search={{}} {...props} />}
      >
        <IconExternalLink size={15} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}
