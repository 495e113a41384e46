import { ActionIcon, Button, Group, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { FieldDefinition } from '@/api/types';
import { valueType } from '@/features/field-types/registry';
import { ConditionValue } from './ConditionValue';
import { type Condition, fieldNamed, type Filter, filterFields, filterText, OPERATOR_LABELS } from './filter-text';
import { parseFilter } from './parse-filter';

interface Props {
  text: string;
  fields: FieldDefinition[];
  onChange: (text: string) => void;
  onApply: () => void;
}

/** Conditions in a list, which write the text above as they change. */
export function FilterBuilder({ text, fields, onChange, onApply }: Props) {
  const known = useMemo(() => filterFields(fields), [fields]);
  const [draft, setDraft] = useState<Filter | null>(null);
  const parsed = useMemo(() => parseFilter(text), [text]);
  // Half-typed values may read differently; what was put together here stays as it was put.
  const filter = draft && filterText(draft, known) === text ? draft : parsed;
  if (filter === null) {
    return (
      <Group mt="xs" gap="xs">
        <Text fz="sm" c="dimmed">
          This filter is too complex for the builder. It works as it is.
        </Text>
        <Button size="compact-sm" variant="default" onClick={() => onChange('')}>
          Start over
        </Button>
      </Group>
    );
  }
  const change = (next: Filter) => {
    setDraft(next);
    onChange(filterText(next, known));
  };
  const replace = (at: number, condition: Condition) =>
    change({ ...filter, conditions: filter.conditions.map((other, index) => (index === at ? condition : other)) });
  const add = () => {
    const field = known[0]?.name ?? 'id';
    change({ ...filter, conditions: [...filter.conditions, { field, operator: usualOperator(fieldNamed(known, field)), value: '' }] });
  };
  return (
    <Stack gap={6} mt="xs" role="group" aria-label="Conditions">
      {filter.conditions.length > 1 && (
        <SegmentedControl
          aria-label="How conditions are joined"
          w="max-content"
          data={[
            { value: '&&', label: 'All of these' },
            { value: '||', label: 'Any of these' },
          ]}
          value={filter.join}
          onChange={(join) => change({ ...filter, join: join === '||' ? '||' : '&&' })}
        />
      )}
      {filter.conditions.map((condition, index) => (
        <ConditionRow
          key={index}
          number={index + 1}
          condition={condition}
          known={known}
          onChange={(next) => replace(index, next)}
          onRemove={() => change({ ...filter, conditions: filter.conditions.filter((_, other) => other !== index) })}
          onApply={onApply}
        />
      ))}
      <Group gap="xs">
        <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} />} onClick={add}>
          Add condition
        </Button>
        <Button size="compact-sm" onClick={onApply}>
          Apply
        </Button>
      </Group>
    </Stack>
  );
}

function usualOperator(field: FieldDefinition): Condition['operator'] {
  return valueType(field).operators[0] ?? '=';
}

interface RowProps {
  number: number;
  condition: Condition;
  known: FieldDefinition[];
  onChange: (condition: Condition) => void;
  onRemove: () => void;
  onApply: () => void;
}

function ConditionRow({ number, condition, known, onChange, onRemove, onApply }: RowProps) {
  const compared = fieldNamed(known, condition.field);
  const { operators } = valueType(compared);
  const setField = (field: string) => {
    const next = fieldNamed(known, field);
    const keeps = valueType(next).operators.includes(condition.operator);
    onChange({ field, operator: keeps ? condition.operator : usualOperator(next), value: '' });
  };
  const names = known.map((field) => field.name);
  const valued = condition.operator !== 'empty' && condition.operator !== 'filled';
  return (
    <Group gap={6} wrap="wrap">
      <Select
        aria-label={`Field of condition ${number}`}
        w={180}
        searchable
        allowDeselect={false}
        classNames={{ input: 'mono' }}
        data={names.includes(condition.field) ? names : [condition.field, ...names]}
        value={condition.field}
        onChange={(field) => field && setField(field)}
      />
      <Select
        aria-label={`Comparison of condition ${number}`}
        w={150}
        allowDeselect={false}
        data={operators.map((operator) => ({ value: operator, label: OPERATOR_LABELS[operator] }))}
        value={condition.operator}
        onChange={(operator) => operator && onChange({ ...condition, operator })}
      />
      {valued && (
        <ConditionValue
          label={`Value of condition ${number}`}
          condition={condition}
          field={compared}
          onChange={(value) => onChange({ ...condition, value })}
          onApply={onApply}
        />
      )}
      <ActionIcon aria-label={`Remove condition ${number}`} onClick={onRemove}>
        <IconTrash size={16} />
      </ActionIcon>
    </Group>
  );
}
