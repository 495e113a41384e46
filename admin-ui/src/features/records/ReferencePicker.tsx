import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { collectionQuery } from '@/features/collections/queries';
import { messageOf } from '@/api/errors';
import { recordQuery, recordsQuery } from './queries';
import { referenceFilter, titleField, titleOf } from './reference';

interface Props {
  label: string;
  description?: string;
  withAsterisk?: boolean | undefined;
  error?: string | undefined;
  /** In a cell: the label is for those who listen only, and the list is open at once. */
  bare?: boolean;
  target: string;
  value: string;
  onChange: (id: string) => void;
}

/** Finds a record of the target collection by its title or id. */
export function ReferencePicker({ target, value, onChange, error, bare = false, ...labels }: Props) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  const collection = useQuery({ ...collectionQuery(target), enabled: target !== '' });
  const field = collection.data ? titleField(collection.data) : null;
  const current = useQuery({ ...recordQuery(target, value), enabled: value !== '' && collection.isSuccess });
  const currentTitle = current.data ? titleOf(current.data, field) : value;
  // The chosen title stands in the box until something else is typed.
  const filter = settled === currentTitle ? '' : referenceFilter(settled, field);
  const found = useQuery({ ...recordsQuery(target, { skip: 0, limit: 20, filter }), enabled: collection.isSuccess });
  const options = (found.data?.items ?? []).map((record) => ({ value: record.id, label: titleOf(record, field) }));
  if (value !== '' && !options.some((option) => option.value === value)) options.unshift({ value, label: currentTitle });
  const failure = collection.error ?? found.error;
  return (
    <Select
      {...(bare ? { 'aria-label': labels.label, autoFocus: true, defaultDropdownOpened: true, miw: 240 } : labels)}
      placeholder={`Search ${target}`}
      searchable
      clearable
      data={options}
      filter={({ options: unfiltered }) => unfiltered}
      nothingFoundMessage={found.isPending ? 'Loading' : 'No such record'}
      value={value === '' ? null : value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(id) => onChange(id ?? '')}
      error={error ?? (failure ? messageOf(failure) : undefined)}
    />
  );
}
