import { IconCalendar } from '@tabler/icons-react';
import type { CellInputProps, FieldType, FilterInputProps, InputProps } from './definition';
import { textCell } from './parts/cells';
import { TimeCellInput } from './parts/CellInputs';
import { DefaultInput } from './parts/DefaultInput';
import { PlainFilterInput } from './parts/FilterInputs';
import { quoted, TIME_OPERATORS } from './parts/filters';
import { LineInput } from './parts/Inputs';
import { asIs, plainText, textDefault } from './parts/values';

function Input(props: InputProps) {
  return <LineInput {...props} control={{ type: 'date' }} />;
}

function CellInput(props: CellInputProps) {
  return <TimeCellInput {...props} type="date" />;
}

function FilterInput(props: FilterInputProps) {
  return <PlainFilterInput {...props} type="date" />;
}

export const date: FieldType = {
  label: 'Date',
  hint: 'A day, without a time',
  icon: IconCalendar,
  editable: true,
  sortable: true,
  indexable: true,
  searchable: false,
  encryptable: false,
  title: false,
  width: 120,
  cell: textCell,
  CellInput,
  typeable: false,
  Input,
  toText: plainText,
  fromText: asIs,
  fromCell: asIs,
  sample: '2026-01-01',
  operators: TIME_OPERATORS,
  literal: quoted,
  FilterInput,
  Details: DefaultInput,
  optionKeys: ['min', 'max'],
  optionInputType: 'date',
  optionValue: (part) => part,
  attributes: textDefault,
};
