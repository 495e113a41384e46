import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { rolesQuery } from './queries';

interface Props {
  value: number | null;
  onChange: (id: number | null) => void;
  label?: string;
  description?: string;
  placeholder?: string;
  clearable?: boolean;
  error?: string;
}

export function RoleSelect({ value, onChange, label = 'Role', ...rest }: Props) {
  const roles = useQuery(rolesQuery);
  return (
    <Select
      label={label}
      data={roles.data?.items.map((role) => ({ value: String(role.id), label: role.name })) ?? []}
      value={value === null ? null : String(value)}
      onChange={(id) => onChange(id === null ? null : Number(id))}
      allowDeselect={false}
      {...rest}
    />
  );
}
