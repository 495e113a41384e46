import { Input as MantineInput, SegmentedControl } from '@mantine/core';
import { IconToggleLeft } from '@tabler/icons-react';
import { useId } from 'react';
import type { CellInputProps, FieldType, FilterInputProps, InputProps, Parsed } from './definition';
import { Faint } from './parts/cells';
import { ChoiceCellInput } from './parts/CellInputs';
import { BooleanDefault } from './parts/DefaultInput';
import { ChoiceFilterInput } from './parts/FilterInputs';
import { quoted } from './parts/filters';
import { jsonDefault, plainText } from './parts/values';

const VALUES = ['true', 'false'];

function Input({ field, label, description, withAsterisk, error, value, onChange }: InputProps) {
  const id = useId();
  const choices = [
    { value: 'true', label: 'True' },
    { value: 'false', label: 'False' },
    { value: '', label: field.required ? 'Not set' : 'Null' },
  ];
  return (
    <MantineInput.Wrapper label={label} labelElement="div" labelProps={{ id }} description={description} withAsterisk={withAsterisk} error={error}>
      <div>
        <SegmentedControl mt={4} aria-labelledby={id} data={choices} value={value} onChange={onChange} />
      </div>
    </MantineInput.Wrapper>
  );
}

function CellInput(props: CellInputProps) {
  return <ChoiceCellInput {...props} choices={VALUES} />;
}

function FilterInput(props: FilterInputProps) {
  return <ChoiceFilterInput {...props} choices={VALUES} />;
}

function fromCell(text: string): Parsed {
  if (/^(true|yes|1)$/i.test(text)) return { ok: true, value: true };
  if (/^(false|no|0)$/i.test(text)) return { ok: true, value: false };
  return { ok: false, message: `“${text}” is neither true nor false.` };
}

function cell(value: unknown) {
  return value === true ? <>✓ true</> : <Faint>{plainText(value)}</Faint>;
}

export const boolean: FieldType = {
  label: 'Boolean',
  hint: 'True or false',
  icon: IconToggleLeft,
  editable: true,
  sortable: true,
  indexable: true,
  searchable: false,
  encryptable: false,
  title: false,
  width: 96,
  cell,
  CellInput,
  typeable: false,
  Input,
  toText: plainText,
  fromText: (text) => ({ ok: true, value: text === 'true' }),
  fromCell,
  sample: false,
  operators: ['=', '!=', 'empty', 'filled'],
  literal: (value) => (VALUES.includes(value) ? value : quoted(value)),
  FilterInput,
  Details: BooleanDefault,
  optionKeys: [],
  optionValue: (part) => part,
  attributes: jsonDefault,
};
