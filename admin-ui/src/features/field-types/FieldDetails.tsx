import { Checkbox, Select, Stack, TextInput } from '@mantine/core';
import type { FieldDefinition } from '@/api/types';
import type { DetailsProps } from './draft';
import { OPTION_LABELS, type OptionKey } from './options';
import { fieldType } from './registry';
import classes from './FieldDetails.module.css';

const MASK_TYPES: { value: NonNullable<FieldDefinition['mask_type']>; label: string }[] = [
  { value: 'full', label: 'Everything' },
  { value: 'email', label: 'E-mail' },
  { value: 'phone', label: 'Phone number' },
  { value: 'ssn', label: 'Social security number' },
  { value: 'name', label: 'Name' },
  { value: 'custom', label: 'Custom' },
];

const PLACEHOLDERS: Partial<Record<OptionKey, string>> = { enum: 'draft, published', pattern: '^[a-z]+$' };

/** Everything about a field besides its name, its type and the two most common switches. */
export function FieldDetails(props: DetailsProps) {
  const { Details } = fieldType(props.draft.type);
  return (
    <div className={classes.details}>
      <Details {...props} />
      <Options {...props} />
      <Switches {...props} />
    </div>
  );
}

function Options({ draft, errors, onChange }: DetailsProps) {
  const { optionKeys, optionInputType } = fieldType(draft.type);
  return optionKeys.map((key) => (
    <TextInput
      key={key}
      label={OPTION_LABELS[key]}
      placeholder={PLACEHOLDERS[key] ?? 'Any'}
      autoComplete="off"
      spellCheck={false}
      type={optionInputType ?? 'text'}
      classNames={key === 'pattern' ? { input: 'mono' } : undefined}
      value={draft.options[key] ?? ''}
      error={errors[`options.${key}`]}
      onChange={(event) => onChange({ options: { ...draft.options, [key]: event.currentTarget.value } })}
    />
  ));
}

type Switched = 'index' | 'searchable' | 'encrypted' | 'discloses_existence' | 'pii';

function Switches({ draft, errors, onChange }: DetailsProps) {
  const { indexable, searchable, encryptable } = fieldType(draft.type);
  const toggle = (key: Switched, label: string, description: string, implied: (on: boolean) => DetailsPatch = () => ({}), disabled = false) => (
    <Checkbox
      mt={4}
      label={label}
      description={description}
      checked={draft[key]}
      disabled={disabled}
      error={errors[key]}
      onChange={(event) => onChange({ [key]: event.currentTarget.checked, ...implied(event.currentTarget.checked) })}
    />
  );
  return (
    <Stack gap="xs">
      {indexable && !draft.encrypted && toggle('index', 'Index', 'For fields that lists are filtered or sorted by.')}
      {searchable && !draft.encrypted && toggle('searchable', 'Searchable', 'Adds its words to a full-text index.')}
      {draft.unique &&
        toggle(
          'discloses_existence',
          'Clashes reveal that a value exists',
          'Callers who cannot see this field are told when a value is taken. Turn it on for names that users choose.',
        )}
      {encryptable &&
        toggle(
          'encrypted',
          'Encrypted',
          draft.stored ? 'Cannot be changed later.' : 'Only API keys with that scope can read the values. Cannot be changed later.',
          (on) => (on ? { index: false, searchable: false, unique: false, discloses_existence: false } : {}),
          draft.stored !== null,
        )}
      {toggle('pii', 'Personal data', 'Masked for users outside the group pii_access.', (on) => ({ mask_type: on ? 'full' : null }))}
      {draft.pii && (
        <Select
          label="Mask"
          allowDeselect={false}
          data={MASK_TYPES}
          value={draft.mask_type ?? 'full'}
          error={errors.mask_type}
          onChange={(mask_type) => onChange({ mask_type })}
        />
      )}
    </Stack>
  );
}

type DetailsPatch = Parameters<DetailsProps['onChange']>[0];
