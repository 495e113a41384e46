import type { FieldDefinition } from '@/api/types';
import { fieldType } from '@/features/field-types/registry';
import { ReferencePicker } from './ReferencePicker';

interface Props {
  field: FieldDefinition;
  value: string;
  error: string | undefined;
  /** Where the focus goes when the form for a new record opens. */
  first?: boolean;
  /** The account whose records a reference may point to; without one, those of all accounts. */
  account?: string | null;
  onChange: (text: string) => void;
}

/** The control for one field; it holds text, and empty means null. */
export function FieldInput({ field, value, error, first, account, onChange }: Props) {
  const { Input } = fieldType(field.type);
  return (
    <Input
      field={field}
      label={field.name}
      description={describe(field)}
      withAsterisk={field.required}
      error={error}
      data-autofocus={first ? true : undefined}
      account={account ?? undefined}
      RecordPicker={ReferencePicker}
      value={value}
      onChange={onChange}
    />
  );
}

function describe(field: FieldDefinition): string {
  const { label, remark } = fieldType(field.type);
  const words = [
    label,
    remark?.(field),
    field.encrypted && 'encrypted: the stored value is not shown, a new one replaces it',
    field.unique && 'unique',
    field.pii && 'personal data',
  ];
  return words.filter(Boolean).join(', ');
}
