/** What a field type has to say for itself; everything that depends on the type of a field asks here. */
import type { TablerIcon } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';
import type { FieldDefinition } from '@/api/types';
import type { DetailsProps, FieldDraft, FieldTypeName } from './draft';
import type { OptionKey } from './options';

export type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'contains' | 'starts' | 'ends' | 'in' | 'empty' | 'filled';

/** A value read from text, or why it cannot be read. */
export type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

export interface RecordPickerProps {
  label: string;
  description?: string;
  withAsterisk?: boolean;
  error?: ReactNode;
  /** The label is for assistive technology only. */
  bare?: boolean;
  /** The list is open at once, as in a cell of the grid. */
  opened?: boolean;
  /** In pixels. */
  w?: number;
  /** The collection to choose from. */
  target: string;
  /** Offers records of this account only. */
  account?: string;
  value: string;
  onChange: (id: string) => void;
}

interface ControlProps {
  field: FieldDefinition;
  label: string;
  /** The account of the record, as far as it is known: references point into it. */
  account?: string;
  /** Passed in by the records feature, because choosing a record needs the types of the target's fields. */
  RecordPicker: ComponentType<RecordPickerProps>;
}

/** A control of the record form. It holds text; empty means null. */
export interface InputProps extends ControlProps {
  description: string;
  withAsterisk?: boolean;
  error?: string;
  'data-autofocus'?: true;
  value: string;
  onChange: (text: string) => void;
}

/** A control in a cell of the grid. */
export interface CellInputProps extends ControlProps {
  text: string;
  /** Whether the stored value needs more than a line. */
  long: boolean;
  onText: (text: string) => void;
  /** Stores what was typed, or the text that is passed. */
  onSave: (text?: string) => void;
}

/** The right-hand side of a condition in the filter builder. */
export interface FilterInputProps extends ControlProps {
  operator: Operator;
  value: string;
  onChange: (value: string) => void;
  onApply: () => void;
}

export interface CellContext {
  field: FieldDefinition;
  /** Titles of referenced records by id, as far as they are loaded. */
  titles?: ReadonlyMap<string, string>;
}

export interface FieldType {
  label: string;
  /** What it is for, in a few words. */
  hint: string;
  icon: TablerIcon;

  // What can be done with it.
  /** Whether clients write it; a computed field has no stored value. */
  editable: boolean;
  sortable: boolean;
  indexable: boolean;
  /** Whether its words can be searched. */
  searchable: boolean;
  encryptable: boolean;
  /** Whether a value can serve as the title of its record. */
  title: boolean;
  /** The collection that a field of this type refers to. */
  target?: (field: FieldDefinition) => string | null;
  /** The type that its values have, where that is another one. */
  valueType?: (field: FieldDefinition) => FieldTypeName;

  // The grid.
  /** Width of a column in pixels, unless its values need more. */
  width: number;
  numeric?: boolean;
  /** Never called with null. Thousands are drawn while scrolling, so it must be cheap. */
  cell: (value: unknown, context: CellContext) => ReactNode;
  CellInput: ComponentType<CellInputProps>;
  /** Whether typing a character in a cell begins a new value with it. */
  typeable: boolean;
  /** Whether Enter adds a line, so that storing takes Ctrl+Enter. */
  enterAddsLine?: boolean;

  // The record form.
  Input: ComponentType<InputProps>;
  /** What the label alone does not say about a field of this type. */
  remark?: (field: FieldDefinition) => string | undefined;
  /** Never called with null. */
  toText: (value: unknown) => string;
  /** Never called with an empty text. What only the server can judge passes as it is. */
  fromText: (text: string) => Parsed;
  /** Reads a cell of a CSV file or the clipboard, where people write more loosely. */
  fromCell: (text: string) => Parsed;
  /** A value to begin a test with. */
  sample: unknown;

  // Filters.
  operators: readonly Operator[];
  /** A value as it stands in a filter. */
  literal: (text: string) => string;
  FilterInput: ComponentType<FilterInputProps>;

  // The schema editor.
  /** What besides the shared attributes is asked for. */
  Details: ComponentType<DetailsProps>;
  /** Whether a field cannot be saved without its details. */
  needsDetails?: boolean;
  optionKeys: readonly OptionKey[];
  /** The control type of minimum and maximum. */
  optionInputType?: 'date';
  /** A minimum, a maximum or an allowed value as it is sent. */
  optionValue: (text: string) => unknown;
  /** What is sent of the attributes that only some types have. */
  attributes: (draft: FieldDraft) => Partial<FieldDefinition>;
}
