/** A field while its definition is being edited. */
import type { FieldDefinition } from '@/api/types';
import type { OptionTexts } from './options';

export type FieldTypeName = FieldDefinition['type'];

export interface FieldDraft {
  /** Stable while rows are moved; never sent. */
  key: string;
  name: string;
  type: FieldTypeName;
  required: boolean;
  unique: boolean;
  /** Whether a clash may tell callers who do not see the field that a value exists. */
  discloses_existence: boolean;
  /** The default as typed; empty means none. */
  defaultText: string;
  collection: string | null;
  on_delete: FieldDefinition['on_delete'];
  pii: boolean;
  mask_type: FieldDefinition['mask_type'];
  index: boolean;
  searchable: boolean;
  encrypted: boolean;
  options: OptionTexts;
  expression: string;
  return_type: FieldDefinition['return_type'];
  /** The stored definition of a field that already exists. */
  stored: FieldDefinition | null;
}

export interface DetailsProps {
  draft: FieldDraft;
  /** Messages by attribute. */
  errors: Record<string, string>;
  onChange: (patch: Partial<FieldDraft>) => void;
}
