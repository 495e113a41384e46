import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery } from './queries';

interface Props {
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
}

/** Which account a new record belongs to; empty means the system account. */
export function AccountPicker({ value, onChange, error }: Props) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  const [chosen, setChosen] = useState<string | null>(null);
  // The name of the chosen account stands in the search box; looking for it would hide the others.
  const accounts = useQuery(accountsQuery({ search: settled === chosen || settled === '' ? undefined : settled, page: 1, page_size: 20 }));
  const items = accounts.data?.items ?? [];
  return (
    <Select
      label="Account"
      description="Who owns the record. Without a choice it is the system account."
      placeholder="System account"
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
