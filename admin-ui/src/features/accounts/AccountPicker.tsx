import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery } from './queries';

interface Props {
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
  description?: string;
  /** Whether there has to be a choice, because the system account is not one. */
  required?: boolean;
}

/** Which account something new belongs to; empty means the system account, unless a choice is required. */
export function AccountPicker({
  value,
  onChange,
  error,
  description = 'Who owns the record. Without a choice it is the system account.',
  required = false,
}: Props) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  const [chosen, setChosen] = useState<string | null>(null);
  // The name of the chosen account stands in the search box; looking for it would hide the others.
  const accounts = useQuery(accountsQuery({ search: settled === chosen || settled === '' ? undefined : settled, page: 1, page_size: 20 }));
  const items = accounts.data?.items ?? [];
  return (
    <Select
      label="Account"
      description={description}
      placeholder={required ? 'Choose an account' : 'System account'}
      required={required}
      withAsterisk={false}
      searchable
      clearable
      data={items.map((account) => ({ value: account.id, label: `${account.name} (${account.account_code})` }))}
      filter={({ options }) => options}
      nothingFoundMessage={accounts.isPending ? 'Loading' : 'No such account'}
      value={value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(id, option) => {
        setChosen((option as { label: string } | null)?.label ?? null);
        onChange(id);
      }}
      error={error}
    />
  );
}
