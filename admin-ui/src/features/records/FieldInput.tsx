import { Input, SegmentedControl, Select, type SelectProps, Textarea, TextInput } from '@mantine/core';
import { useId } from 'react';
import type { FieldDefinition } from '@/api/types';
import { choicesOf } from '@/features/collections/field-options';
import { FIELD_TYPE_LABELS, type FieldType } from '@/features/collections/field-types';
import { JsonInput } from '@/ui/JsonInput';
import { ReferencePicker } from './ReferencePicker';

interface Props {
  field: FieldDefinition;
  value: string;
  error: string | undefined;
  /** Where the focus goes when the form for a new record opens. */
  first?: boolean;
  onChange: (text: string) => void;
}

const INPUT_TYPES: Record<string, string> = {
  number: 'text',
  datetime: 'datetime-local',
  date: 'date',
  email: 'email',
  url: 'url',
};

/** The control for one field, chosen by its type; every one of them holds text, and empty means null. */
export function FieldInput({ field, value, error, first, onChange }: Props) {
  const common = {
    label: field.name,
    description: describe(field),
    withAsterisk: field.required,
    error,
    'data-autofocus': first ? true : undefined,
  };
  const choices = choicesOf(field.options);
  if (choices && field.type !== 'json') return <ChoiceInput {...common} choices={choices} value={value} onChange={onChange} />;
  switch (field.type) {
    case 'boolean':
      return <BooleanInput {...{ field, value, error, onChange }} />;
    case 'json':
    case 'file':
      return <JsonInput {...common} required={field.required} value={value} onChange={onChange} />;
    case 'reference':
      return <ReferencePicker {...common} target={field.collection ?? ''} value={value} onChange={onChange} />;
    case 'text':
      return (
        <Textarea {...common} autosize minRows={1} maxRows={12} value={value} onChange={(event) => onChange(event.currentTarget.value)} />
      );
    default:
      return (
        <TextInput
          {...common}
          type={INPUT_TYPES[field.type] ?? 'text'}
          inputMode={(field.type) === 'number' ? 'decimal' : undefined}
          step={1}
          autoComplete="off"
          className="tabular"
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

function describe(field: FieldDefinition): string {
  const words: string[] = [FIELD_TYPE_LABELS[field.type as FieldType]];
  if (field.type === 'reference' && field.collection) words.push(`to ${field.collection}`);
  if (field.type === 'datetime') words.push('in your time zone');
  if (field.type === 'file') words.push('as JSON with filename, size, mime_type and path');
  if (field.encrypted) words.push('encrypted: what is stored is not shown, what is typed replaces it');
  if (field.unique) words.push('unique');
  if (field.pii) words.push('personal data');
  return words.join(', ');
}

interface ChoiceProps extends Omit<SelectProps, 'value' | 'onChange' | 'data'> {
  choices: string[];
  value: string;
  onChange: (text: string) => void;
}

/** One of a list; what is stored although it is no longer on the list stays on offer. */
function ChoiceInput({ choices, value, onChange, ...common }: ChoiceProps) {
  return (
    <Select
      {...common}
      placeholder="No value"
      clearable
      searchable={choices.length > 8}
      nothingFoundMessage="No such value"
      data={value === '' || choices.includes(value) ? choices : [value, ...choices]}
      value={value === '' ? null : value}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}

function BooleanInput({ field, value, error, onChange }: Props) {
  const id = useId();
  const choices = [
    { value: 'true', label: 'True' },
    { value: 'false', label: 'False' },
    { value: '', label: field.required ? 'Not set' : 'Null' },
  ];
  return (
    <Input.Wrapper label={field.name} labelElement="div" labelProps={{ id }} description={describe(field)} withAsterisk={field.required} error={error}>
      <div>
        <SegmentedControl mt={4} aria-labelledby={id} data={choices} value={value} onChange={onChange} />
      </div>
    </Input.Wrapper>
  );
}
