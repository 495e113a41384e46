import { IconBraces } from '@tabler/icons-react';
import { parseJson } from '@/ui/JsonInput';
import type { FieldType } from './definition';
import { jsonCell } from './parts/cells';
import { JsonCellInput } from './parts/CellInputs';
import { JsonDefault } from './parts/DefaultInput';
import { TextFilterInput } from './parts/FilterInputs';
import { PRESENCE_OPERATORS, quoted } from './parts/filters';
import { JsonFormInput } from './parts/Inputs';
import { jsonDefault, jsonText } from './parts/values';

export const json: FieldType = {
  label: 'JSON',
  hint: 'Any JSON value',
  icon: IconBraces,
  editable: true,
  sortable: false,
  indexable: false,
  searchable: false,
  encryptable: true,
  title: false,
  width: 208,
  cell: jsonCell,
  CellInput: JsonCellInput,
  typeable: false,
  enterAddsLine: true,
  Input: JsonFormInput,
  toText: jsonText,
  fromText: parseJson,
  fromCell: parseJson,
  sample: {},
  operators: PRESENCE_OPERATORS,
  literal: quoted,
  FilterInput: TextFilterInput,
  Details: JsonDefault,
  optionKeys: [],
  optionValue: (part) => part,
  attributes: jsonDefault,
};
