import { Select, type SelectProps } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { accountQuery, accountsQuery } from './queries';
import { SYSTEM_ACCOUNT } from './system-account';

interface Props extends Omit<SelectProps, 'value' | 'onChange' | 'data'> {
  value: string | null;
  onChange: (id: string | null) => void;
  /** Offers the server's own account as well, at the end and by its meaning. */
  system?: string;
}

/** More accounts are found by typing. */
const MAX_OFFERED = 20;

/** The account that something new belongs to. A choice has to be made, except where there is only one. */
export function AccountPicker({ value, onChange, system, ...select }: Props) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  const current = useQuery({ ...accountQuery(value ?? ''), enabled: value !== null && value !== SYSTEM_ACCOUNT });
  const labelOf = (account: { name: string; account_code: string }) => `${account.name} (${account.account_code})`;
  const chosen = value === SYSTEM_ACCOUNT ? system : current.data && labelOf(current.data);
  // The name of the chosen account is in the search box; searching for it would hide the others.
  const accounts = useQuery(accountsQuery({ search: settled === chosen || settled === '' ? undefined : settled, page: 1, page_size: MAX_OFFERED }));
  const items = (accounts.data?.items ?? []).filter(({ id }) => id !== SYSTEM_ACCOUNT);
  const options = items.map((account) => ({ value: account.id, label: labelOf(account) }));
  if (value !== null && chosen !== undefined && !options.some((option) => option.value === value)) options.unshift({ value, label: chosen });
  if (system !== undefined && value !== SYSTEM_ACCOUNT) options.push({ value: SYSTEM_ACCOUNT, label: system });
  const only = items.length > 0 ? items.map(({ id }) => id) : system === undefined ? [] : [SYSTEM_ACCOUNT];
  useOnlyChoice(accounts.isSuccess && settled === '' && value === null && only.length === 1 ? only[0] : undefined, onChange);
  return (
    <Select
      label="Account"
      placeholder="Choose an account"
      openOnFocus={false}
      withAsterisk={false}
      searchable
      allowDeselect={false}
      {...select}
      data={options}
      filter={({ options: unfiltered }) => unfiltered}
      nothingFoundMessage={accounts.isPending ? 'Loading' : 'No matching account'}
      value={value}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(id) => onChange(id)}
    />
  );
}

/** Chooses once what is the only choice. */
function useOnlyChoice(only: string | undefined, onChange: (id: string) => void): void {
  const made = useRef(false);
  useEffect(() => {
    if (only === undefined || made.current) return;
    made.current = true;
    onChange(only);
  }, [only, onChange]);
}
