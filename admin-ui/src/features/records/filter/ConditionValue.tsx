import { Select, TextInput } from '@mantine/core';
import { toLocalInput } from '../form-values';
import { ReferencePicker } from '../ReferencePicker';
import type { Condition, FilterField, Operator } from './filter-text';

interface Props {
  label: string;
  condition: Condition;
  field: FilterField;
  onChange: (value: string) => void;
  onApply: () => void;
}

const WIDTH = 220;
const ONE: Operator[] = ['=', '!='];

/** What a field is compared with, typed or chosen as its type asks for. */
export function ConditionValue({ label, condition: { operator, value }, field: { type, choices, target }, onChange, onApply }: Props) {
  const listed = type === 'boolean' ? ['true', 'false'] : ONE.includes(operator) ? choices : null;
  if (listed) {
    return (
      <Select
        aria-label={label}
        w={WIDTH}
        searchable={listed.length > 8}
        data={value === '' || listed.includes(value) ? listed : [value, ...listed]}
        value={value}
        onChange={(next) => onChange(next ?? '')}
      />
    );
  }
  if (target && ONE.includes(operator)) return <ReferencePicker label={label} bare w={WIDTH} target={target} value={value} onChange={onChange} />;
  const moment = type === 'datetime' && operator !== 'in';
  return (
    <TextInput
      aria-label={label}
      w={WIDTH}
      type={moment ? 'datetime-local' : type === 'date' ? 'date' : 'text'}
      placeholder={operator === 'in' ? 'one, two, three' : ''}
      autoComplete="off"
      value={moment ? toLocalInput(value) : value}
      onChange={({ currentTarget: { value: text } }) => onChange(moment && text !== '' ? new Date(text).toISOString() : text)}
      onKeyDown={(event) => event.key === 'Enter' && onApply()}
    />
  );
}
