import { IconHash } from '@tabler/icons-react';
import { formatNumber } from '@/ui/format';
import type { CellContext, FieldType, InputProps, Parsed } from './definition';
import type { DetailsProps } from './draft';
import { choicesOf, numeric } from './options';
import { Chip } from './parts/cells';
import { TextCellInput } from './parts/CellInputs';
import { DefaultInput } from './parts/DefaultInput';
import { TextFilterInput } from './parts/FilterInputs';
import { ORDERED_OPERATORS, quoted } from './parts/filters';
import { LineInput } from './parts/Inputs';
import { jsonDefault, plainText } from './parts/values';

/** Grouped digits, but never rounded: the table is where people check what is stored. */
function exact(value: number): string {
  const digits = String(value);
  const [whole = '', ...rest] = digits.split('.');
  if (Math.abs(value) < 1_000 || !/^-?\d+$/.test(whole)) return digits;
  return [formatNumber(Math.trunc(value)), ...rest].join('.');
}

function cell(value: unknown, { field }: CellContext) {
  const shown = typeof value === 'number' ? exact(value) : plainText(value);
  return choicesOf(field.options) ? <Chip>{shown}</Chip> : shown;
}

function fromText(text: string): Parsed {
  const value = Number(text);
  return Number.isFinite(value) ? { ok: true, value } : { ok: false, message: `“${text}” is not a number.` };
}

function Input(props: InputProps) {
  return <LineInput {...props} control={{ inputMode: 'decimal' }} />;
}

function Details(props: DetailsProps) {
  return <DefaultInput {...props} inputMode="decimal" />;
}

export const number: FieldType = {
  label: 'Number',
  hint: 'A whole number or a decimal',
  icon: IconHash,
  editable: true,
  sortable: true,
  indexable: true,
  searchable: false,
  encryptable: false,
  title: false,
  width: 112,
  numeric: true,
  cell,
  CellInput: TextCellInput,
  typeable: true,
  Input,
  toText: plainText,
  fromText,
  fromCell: fromText,
  sample: 0,
  operators: ORDERED_OPERATORS,
  literal: (value) => (/^-?\d+(\.\d+)?$/.test(value) ? value : quoted(value)),
  FilterInput: TextFilterInput,
  Details,
  optionKeys: ['min', 'max', 'enum'],
  optionValue: numeric,
  attributes: jsonDefault,
};
