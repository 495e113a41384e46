import { Select, type TextInputProps, TextInput } from '@mantine/core';
import { JsonInput } from '@/ui/JsonInput';
import type { InputProps } from '../definition';
import { choicesOf } from '../options';

/** What every control of the form gets; the rest is for the type alone. */
export function shared({ label, description, withAsterisk, error, 'data-autofocus': autofocus }: InputProps) {
  return { label, description, withAsterisk, error, 'data-autofocus': autofocus };
}

/** One of a list; what is stored although it is no longer on the list stays on offer. */
export function ChoiceInput(props: InputProps & { choices: string[] }) {
  const { choices, value, onChange } = props;
  return (
    <Select
      {...shared(props)}
      placeholder="No value"
      clearable
      searchable={choices.length > 8}
      nothingFoundMessage="No matches"
      data={value === '' || choices.includes(value) ? choices : [value, ...choices]}
      value={value === '' ? null : value}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}

/** A line, or a choice where the field has a list of allowed values. */
export function LineInput({ control, ...props }: InputProps & { control: TextInputProps }) {
  const choices = choicesOf(props.field.options);
  if (choices) return <ChoiceInput {...props} choices={choices} />;
  return (
    <TextInput
      {...shared(props)}
      {...control}
      autoComplete="off"
      className="tabular"
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

export function JsonFormInput(props: InputProps) {
  return <JsonInput {...shared(props)} required={props.withAsterisk} value={props.value} onChange={props.onChange} />;
}
