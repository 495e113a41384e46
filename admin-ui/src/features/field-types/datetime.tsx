import { IconClock } from '@tabler/icons-react';
import { exactTime, localInstant } from '@/ui/format';
import type { CellInputProps, FieldType, FilterInputProps, InputProps } from './definition';
import { textCell } from './parts/cells';
import { TimeCellInput } from './parts/CellInputs';
import { DefaultInput } from './parts/DefaultInput';
import { PlainFilterInput } from './parts/FilterInputs';
import { quoted, TIME_OPERATORS } from './parts/filters';
import { LineInput } from './parts/Inputs';
import { asIs, plainText, textDefault } from './parts/values';

/** What a `datetime-local` control shows for an instant, in the browser's zone; empty for what cannot be read. */
export function toLocalInput(value: string): string {
  return localInstant(value)?.replace(' ', 'T') ?? '';
}

/** The instant that such a control holds; what cannot be read stays as it is. */
function toInstant(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

function Input(props: InputProps) {
  return <LineInput {...props} control={{ type: 'datetime-local', step: 1 }} />;
}

function CellInput(props: CellInputProps) {
  return <TimeCellInput {...props} type="datetime-local" />;
}

function FilterInput(props: FilterInputProps) {
  const { value, onChange } = props;
  return <PlainFilterInput {...props} type="datetime-local" value={toLocalInput(value)} onChange={(text) => onChange(text === '' ? '' : toInstant(text))} />;
}

export const datetime: FieldType = {
  label: 'Date and time',
  hint: 'An instant, stored in UTC and shown in your time zone',
  icon: IconClock,
  editable: true,
  sortable: true,
  indexable: true,
  searchable: false,
  encryptable: false,
  title: false,
  width: 184,
  cell: (value, context) => {
    if (typeof value !== 'string') return textCell(value, context);
    return (
      <time dateTime={value} className="tabular" title={`${exactTime(value)} (${value})`}>
        {localInstant(value) ?? value}
      </time>
    );
  },
  CellInput,
  typeable: false,
  Input,
  remark: () => 'in your time zone',
  toText: (value) => (typeof value === 'string' ? toLocalInput(value) : plainText(value)),
  fromText: (text) => ({ ok: true, value: toInstant(text) }),
  fromCell: asIs,
  sample: '2026-01-01T00:00:00Z',
  operators: TIME_OPERATORS,
  literal: quoted,
  FilterInput,
  Details: DefaultInput,
  optionKeys: ['min', 'max'],
  optionValue: (part) => part,
  attributes: textDefault,
};
