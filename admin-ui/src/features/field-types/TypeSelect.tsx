import { Group, Select, type SelectProps, Text } from '@mantine/core';
import type { FieldTypeName } from './draft';
import { FieldTypeIcon } from './FieldTypeIcon';
import { FIELD_TYPE_NAMES, fieldType } from './registry';

const DATA = FIELD_TYPE_NAMES.map((value) => ({ value, label: fieldType(value).label }));

/** Each type with its icon and what it is for. */
const renderOption: SelectProps['renderOption'] = ({ option }) => {
  const name = option.value as FieldTypeName;
  return (
    <Group gap={10} wrap="nowrap">
      <FieldTypeIcon type={name} />
      <div>
        {option.label}
        <Text fz="xs" c="dimmed" lh={1.3}>
          {fieldType(name).hint}
        </Text>
      </div>
    </Group>
  );
};

interface Props {
  className?: string;
  label: string;
  value: FieldTypeName;
  error?: string;
  onChange: (type: FieldTypeName) => void;
}

export function TypeSelect({ className, label, value, error, onChange }: Props) {
  return (
    <Select
      className={className}
      aria-label={label}
      allowDeselect={false}
      data={DATA}
      renderOption={renderOption}
      maxDropdownHeight={560}
      comboboxProps={{ width: 320, position: 'bottom-start' }}
      leftSection={<FieldTypeIcon type={value} />}
      value={value}
      error={error}
      onChange={(type) => type && onChange(type)}
    />
  );
}
