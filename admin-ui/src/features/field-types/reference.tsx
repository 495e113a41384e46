import { Select } from '@mantine/core';
import { IconRelationOneToMany } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { FieldDefinition } from '@/api/types';
import { collectionNamesQuery } from '@/features/collections/queries';
import { shortId } from '@/ui/format';
import type { CellContext, CellInputProps, FieldType, FilterInputProps, InputProps } from './definition';
import type { DetailsProps, FieldDraft } from './draft';
import { Chip, textCell } from './parts/cells';
import { FILTER_WIDTH, PlainFilterInput } from './parts/FilterInputs';
import { comparesOne, quoted } from './parts/filters';
import { shared } from './parts/Inputs';
import { asIs, plainText } from './parts/values';

const ON_DELETE: { value: NonNullable<FieldDefinition['on_delete']>; label: string }[] = [
  { value: 'cascade', label: 'Delete this record too' },
  { value: 'set_null', label: 'Clear this field' },
  { value: 'restrict', label: 'Refuse the deletion' },
];

function Input(props: InputProps) {
  const { field, account, RecordPicker, value, onChange } = props;
  return <RecordPicker {...shared(props)} account={account} target={field.collection ?? ''} value={value} onChange={onChange} />;
}

function CellInput({ field, label, text, account, RecordPicker, onText, onSave }: CellInputProps) {
  const choose = (id: string) => {
    onText(id);
    onSave(id);
  };
  return <RecordPicker label={label} bare opened account={account} target={field.collection ?? ''} value={text} onChange={choose} />;
}

function FilterInput(props: FilterInputProps) {
  const { field, operator, label, value, RecordPicker, onChange } = props;
  if (!comparesOne(operator)) return <PlainFilterInput {...props} placeholder="one, two, three" />;
  return <RecordPicker label={label} bare w={FILTER_WIDTH} target={field.collection ?? ''} value={value} onChange={onChange} />;
}

function cell(value: unknown, context: CellContext) {
  if (typeof value !== 'string' || value === '') return textCell(value, context);
  const title = context.titles?.get(value);
  if (title === undefined) return <span className="mono" title={value}>{shortId(value)}</span>;
  return <Chip title={`${title} (${value})`}>{title}</Chip>;
}

function Details({ draft, errors, onChange }: DetailsProps) {
  const collections = useQuery(collectionNamesQuery);
  const known = collections.data?.names ?? [];
  const names = draft.collection && !known.includes(draft.collection) ? [...known, draft.collection] : known;
  return (
    <>
      <Select
        label="Target collection"
        placeholder={collections.isPending ? 'Loading' : 'Choose'}
        searchable
        data={names}
        nothingFoundMessage="No matching collection"
        value={draft.collection}
        error={errors.collection}
        onChange={(collection) => onChange({ collection })}
      />
      <Select
        label="When the target is deleted"
        placeholder="Choose"
        data={ON_DELETE}
        value={draft.on_delete}
        error={errors.on_delete}
        onChange={(on_delete) => onChange({ on_delete })}
      />
    </>
  );
}

export const reference: FieldType = {
  label: 'Reference',
  hint: 'A record of another collection',
  icon: IconRelationOneToMany,
  editable: true,
  sortable: true,
  indexable: true,
  searchable: false,
  encryptable: false,
  title: false,
  target: (field) => field.collection ?? null,
  width: 176,
  cell,
  CellInput,
  typeable: false,
  Input,
  remark: (field) => (field.collection ? `to ${field.collection}` : undefined),
  toText: plainText,
  fromText: asIs,
  fromCell: asIs,
  sample: '',
  operators: ['=', '!=', 'in', 'empty', 'filled'],
  literal: quoted,
  FilterInput,
  Details,
  needsDetails: true,
  optionKeys: [],
  optionValue: (part) => part,
  attributes: ({ collection, on_delete }: FieldDraft) => ({ collection, on_delete, default: null }),
};
