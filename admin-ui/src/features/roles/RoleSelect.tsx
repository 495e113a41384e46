import { Select, type SelectProps } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { rolesQuery } from './queries';

interface Props extends Omit<SelectProps, 'value' | 'onChange' | 'data'> {
  value: number | null;
  onChange: (id: number | null) => void;
}

export function RoleSelect({ value, onChange, label = 'Role', ...rest }: Props) {
  const roles = useQuery(rolesQuery);
  return (
    <Select
      label={label}
      allowDeselect={false}
      {...rest}
      data={roles.data?.items.map((role) => ({ value: String(role.id), label: role.name })) ?? []}
      value={value === null ? null : String(value)}
      onChange={(id) => onChange(id === null ? null : Number(id))}
    />
  );
}
