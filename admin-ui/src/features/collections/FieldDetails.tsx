import { Checkbox, Select, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { MASK_TYPES, ON_DELETE } from './field-types';
import classes from './FieldRow.module.css';
import { collectionNamesQuery } from './queries';
import type { FieldDraft } from './schema-form';

interface Props {
  draft: FieldDraft;
  errors: Record<string, string>;
  onChange: (patch: Partial<FieldDraft>) => void;
}

export function FieldDetails({ draft, errors, onChange }: Props) {
  return (
    <div className={classes.details}>
      {draft.type === 'reference' && <ReferenceDetails {...{ draft, errors, onChange }} />}
      <DefaultInput {...{ draft, errors, onChange }} />
      <Stack gap="xs">
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

function ReferenceDetails({ draft, errors, onChange }: Props) {
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

function DefaultInput({ draft, errors, onChange }: Props) {
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
