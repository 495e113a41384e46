import { Group, MultiSelect, SegmentedControl, Text } from '@mantine/core';
import type { Operation } from './rule-state';

const LABELS: Record<Exclude<Operation, 'delete'>, string> = {
  list: 'Fields shown in lists',
  view: 'Fields shown of one record',
  create: 'Fields accepted on create',
  update: 'Fields accepted on update',
};

interface Props {
  operation: Operation;
  /** Null means all. */
  value: string[] | null;
  fields: string[];
  onChange: (value: string[] | null) => void;
}

export function FieldListInput({ operation, value, fields, onChange }: Props) {
  const label = LABELS[operation as Exclude<Operation, 'delete'>];
  return (
    <Group gap="xs" align="center">
      <Text>{label}</Text>
      <SegmentedControl
        aria-label={label}
        data={[
          { value: 'all', label: 'All' },
          { value: 'some', label: 'Only these' },
        ]}
        value={value === null ? 'all' : 'some'}
        onChange={(mode) => onChange(mode === 'all' ? null : fields)}
      />
      {value !== null && (
        <MultiSelect
          aria-label={`${label}: choose`}
          placeholder={value.length === 0 ? 'None' : undefined}
          data={fields}
          value={value}
          onChange={onChange}
          flex={1}
          miw={220}
        />
      )}
    </Group>
  );
}
