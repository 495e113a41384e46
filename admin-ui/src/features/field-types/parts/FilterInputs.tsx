import { Select, TextInput } from '@mantine/core';
import type { FilterInputProps } from '../definition';
import { choicesOf } from '../options';
import { comparesOne } from './filters';

/** Of each control on the right-hand side of a condition, in pixels. */
export const FILTER_WIDTH = 220;

interface PlainProps extends Pick<FilterInputProps, 'label' | 'value' | 'onChange' | 'onApply'> {
  type?: 'text' | 'date' | 'datetime-local';
  placeholder?: string;
}

export function PlainFilterInput({ label, value, type = 'text', placeholder, onChange, onApply }: PlainProps) {
  return (
    <TextInput
      aria-label={label}
      w={FILTER_WIDTH}
      type={type}
      placeholder={placeholder}
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && onApply()}
    />
  );
}

interface ChoiceProps extends Pick<FilterInputProps, 'label' | 'value' | 'onChange'> {
  choices: string[];
}

export function ChoiceFilterInput({ label, value, choices, onChange }: ChoiceProps) {
  return (
    <Select
      aria-label={label}
      w={FILTER_WIDTH}
      searchable={choices.length > 8}
      data={value === '' || choices.includes(value) ? choices : [value, ...choices]}
      value={value}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}

/** Chosen from the allowed values where there are any, typed otherwise. */
export function TextFilterInput(props: FilterInputProps) {
  const { field, operator } = props;
  const choices = comparesOne(operator) ? choicesOf(field.options) : null;
  if (choices) return <ChoiceFilterInput {...props} choices={choices} />;
  return <PlainFilterInput {...props} placeholder={operator === 'in' ? 'one, two, three' : ''} />;
}
