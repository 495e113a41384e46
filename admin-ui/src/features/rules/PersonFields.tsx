import { SimpleGrid, TextInput } from '@mantine/core';
import type { Person } from './tester';

const FIELDS = [
  { key: 'id', label: 'User id' },
  { key: 'email', label: 'E-mail' },
  { key: 'role', label: 'Role' },
  { key: 'account_id', label: 'Account id' },
  { key: 'groups', label: 'Groups, separated by commas' },
] as const;

export function PersonFields({ person, onChange }: { person: Person; onChange: (person: Person) => void }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
      {FIELDS.map(({ key, label }) => (
        <TextInput
          key={key}
          label={label}
          autoComplete="off"
          value={person[key]}
          onChange={(event) => onChange({ ...person, [key]: event.currentTarget.value })}
        />
      ))}
    </SimpleGrid>
  );
}
