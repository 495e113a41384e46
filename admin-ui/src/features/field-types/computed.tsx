import { Input, Select } from '@mantine/core';
import { IconMathFunction } from '@tabler/icons-react';
import { useId } from 'react';
import type { FieldDefinition } from '@/api/types';
import { type Completion, functionCompletions } from '@/features/expressions/completions';
import { ExpressionInput } from '@/features/expressions/ExpressionInput';
import { problemIn } from '@/features/expressions/problems';
import type { FieldType } from './definition';
import type { DetailsProps } from './draft';
import { text } from './text';

const RETURN_TYPES: { value: NonNullable<FieldDefinition['return_type']>; label: string }[] = [
  { value: 'text', label: 'Text' },
  { value: 'number', label: 'Number' },
  { value: 'boolean', label: 'Boolean' },
  { value: 'datetime', label: 'Date and time' },
];

const COMPLETIONS: Completion[] = functionCompletions();

function Details({ draft, errors, onChange }: DetailsProps) {
  const id = useId();
  const error = errors.expression;
  return (
    <>
      <Input.Wrapper label="Expression" labelElement="div" error={error} errorProps={{ id }} style={{ gridColumn: '1 / -1' }}>
        <ExpressionInput
          label={`Expression of ${draft.name || 'the field'}`}
          value={draft.expression}
          onChange={(expression) => onChange({ expression })}
          completions={COMPLETIONS}
          problems={error === undefined ? [] : [problemIn(error)]}
          describedBy={error === undefined ? undefined : id}
          placeholder="price * quantity"
        />
      </Input.Wrapper>
      <Select
        label="Result type"
        placeholder="Choose"
        data={RETURN_TYPES}
        value={draft.return_type}
        error={errors.return_type}
        onChange={(return_type) => onChange({ return_type })}
      />
    </>
  );
}

export const computed: FieldType = {
  ...text,
  label: 'Computed',
  hint: 'The result of an expression over other fields, never stored',
  icon: IconMathFunction,
  editable: false,
  indexable: false,
  searchable: false,
  encryptable: false,
  title: false,
  valueType: (field) => field.return_type ?? 'text',
  Details,
  needsDetails: true,
  optionKeys: [],
  attributes: ({ expression, return_type }) => ({ expression, return_type, default: null, required: false, unique: false, discloses_existence: false, index: false }),
};
