import { Checkbox, Select, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ComputedDetails } from './ComputedDetails';
import { OPTION_LABELS, type OptionKey, optionKeysOf } from './field-options';
import { MASK_TYPES, ON_DELETE } from './field-types';
import classes from './FieldRow.module.css';
import { collectionNamesQuery } from './queries';
import { ENCRYPTABLE, type FieldDraft, SEARCHABLE } from './schema-form';

const PLACEHOLDERS: Partial<Record<OptionKey, string>> = { enum: 'draft, published', pattern: '^[a-z]+$' };

export interface DetailsProps {
  draft: FieldDraft;
  errors: Record<string, string>;
  onChange: (patch: Partial<FieldDraft>) => void;
}

export function FieldDetails(props: DetailsProps) {
  const { draft, errors, onChange } = props;
  const computed = draft.type === 'computed';
  const indexable = !computed && !['json', 'file'].includes(draft.type) && !draft.encrypted;
  return (
    <div className={classes.details}>
      {computed && <ComputedDetails {...props} />}
      {draft.type === 'reference' && <ReferenceDetails {...props} />}
      {!computed && draft.type !== 'reference' && <DefaultInput {...props} />}
      <Options {...props} />
      <Stack gap="xs">
        {indexable && (
          <Checkbox
            mt={4}
            label="Index"
            description="For fields that lists are filtered or sorted by."
            checked={draft.index}
            error={errors.index}
            onChange={(event) => onChange({ index: event.currentTarget.checked })}
          />
        )}
        {SEARCHABLE.includes(draft.type) && !draft.encrypted && (
          <Checkbox
            mt={4}
            label="Searchable"
            description="Its words have a full-text index."
            checked={draft.searchable}
            error={errors.searchable}
            onChange={(event) => onChange({ searchable: event.currentTarget.checked })}
          />
        )}
        {ENCRYPTABLE.includes(draft.type) && (
          <Checkbox
            mt={4}
            label="Encrypted"
            description={draft.stored ? 'Cannot be changed later.' : 'Nobody sees the values but API keys that may. Cannot be changed later.'}
            checked={draft.encrypted}
            disabled={draft.stored !== null}
            error={errors.encrypted}
            onChange={(event) =>
              onChange({ encrypted: event.currentTarget.checked, ...(event.currentTarget.checked && { index: false, searchable: false, unique: false }) })
            }
          />
        )}
        <Checkbox
          mt={4}
          label="Personal data"
          description="Masked for people outside the group pii_access."
          checked={draft.pii}
          error={errors.pii}
          onChange={(event) =>
            onChange({ pii: event.currentTarget.checked, mask_type: event.currentTarget.checked ? 'full' : null })
          }
        />
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
    </div>
  );
}

function Options({ draft, errors, onChange }: DetailsProps) {
  return optionKeysOf(draft.type).map((key) => (
    <TextInput
      key={key}
      label={OPTION_LABELS[key]}
      placeholder={PLACEHOLDERS[key] ?? 'Any'}
      autoComplete="off"
      spellCheck={false}
      type={draft.type === 'date' ? 'date' : 'text'}
      classNames={key === 'pattern' ? { input: 'mono' } : undefined}
      value={draft.options[key] ?? ''}
      error={errors[`options.${key}`]}
      onChange={(event) => onChange({ options: { ...draft.options, [key]: event.currentTarget.value } })}
    />
  ));
}

function ReferenceDetails({ draft, errors, onChange }: DetailsProps) {
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
        nothingFoundMessage="No such collection"
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

function DefaultInput({ draft, errors, onChange }: DetailsProps) {
  if (draft.type === 'boolean') {
    return (
      <Select
        label="Default"
        placeholder="None"
        clearable
        data={['true', 'false']}
        value={draft.defaultText || null}
        error={errors.default}
        onChange={(value) => onChange({ defaultText: value ?? '' })}
      />
    );
  }
  const json = draft.type === 'json' || draft.type === 'file';
  return (
    <TextInput
      label={json ? 'Default, as JSON' : 'Default'}
      placeholder="None"
      autoComplete="off"
      classNames={json ? { input: 'mono' } : undefined}
      inputMode={draft.type === 'number' ? 'decimal' : undefined}
      value={draft.defaultText}
      error={errors.default}
      onChange={(event) => onChange({ defaultText: event.currentTarget.value })}
    />
  );
}
