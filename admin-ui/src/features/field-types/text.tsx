import { Textarea } from '@mantine/core';
import { IconLetterT } from '@tabler/icons-react';
import type { FieldType, InputProps } from './definition';
import { choicesOf } from './options';
import { textCell } from './parts/cells';
import { TextCellInput } from './parts/CellInputs';
import { DefaultInput } from './parts/DefaultInput';
import { TextFilterInput } from './parts/FilterInputs';
import { quoted, TEXT_OPERATORS } from './parts/filters';
import { ChoiceInput, shared } from './parts/Inputs';
import { asIs, plainText, textDefault } from './parts/values';

function Input(props: InputProps) {
  const choices = choicesOf(props.field.options);
  if (choices) return <ChoiceInput {...props} choices={choices} />;
  return (
    <Textarea
      {...shared(props)}
      autosize
      minRows={1}
      maxRows={12}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

export const text: FieldType = {
  label: 'Text',
  hint: 'A word, a line or a long text; with allowed values, a select',
  icon: IconLetterT,
  editable: true,
  sortable: true,
  indexable: true,
  searchable: true,
  encryptable: true,
  title: true,
  width: 208,
  cell: textCell,
  CellInput: TextCellInput,
  typeable: true,
  Input,
  toText: plainText,
  fromText: asIs,
  fromCell: asIs,
  sample: '',
  operators: TEXT_OPERATORS,
  literal: quoted,
  FilterInput: TextFilterInput,
  Details: DefaultInput,
  optionKeys: ['min_length', 'max_length', 'pattern', 'enum'],
  optionValue: (part) => part,
  attributes: textDefault,
};
