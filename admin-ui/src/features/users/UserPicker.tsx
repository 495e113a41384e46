import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ErrorWords } from '@/ui/ErrorWords';
import type { UserDetail } from '@/api/types';
import { usersQuery } from './queries';

interface Props {
  label: string;
  /** The label is for assistive technology only. */
  bare?: boolean;
  placeholder?: string;
  description?: string;
  value: UserDetail | null;
  onChange: (user: UserDetail | null) => void;
}

const nameOf = (user: UserDetail) => `${user.email}, ${user.role_name} of ${user.account_name}`;

/** Finds a user of any account by part of the address. */
export function UserPicker({ label, bare = false, placeholder = 'Search by e-mail', description, value, onChange }: Props) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 200);
  // The name of the chosen one stands in the box; looking for it would hide the others.
  const wanted = value && settled === nameOf(value) ? '' : settled;
  const users = useQuery(usersQuery({ search: wanted === '' ? undefined : wanted, limit: 20 }));
  const found = users.data?.items ?? [];
  const all = value && !found.some((user) => user.id === value.id) ? [value, ...found] : found;
  return (
    <Select
      {...(bare ? { 'aria-label': label } : { label })}
      description={description}
      placeholder={placeholder}
      searchable
      clearable
      data={all.map((user) => ({ value: user.id, label: nameOf(user) }))}
      filter={({ options }) => options}
      nothingFoundMessage={users.isPending ? 'Loading' : 'No matching user'}
      value={value?.id ?? null}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(id) => onChange(all.find((user) => user.id === id) ?? null)}
      error={users.error && <ErrorWords error={users.error} />}
    />
  );
}
