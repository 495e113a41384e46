import type { FieldDefinition } from '@/api/types';
import { valueType } from '@/features/field-types/registry';
import { ReferencePicker } from '../ReferencePicker';
import type { Condition } from './filter-text';

interface Props {
  label: string;
  condition: Condition;
  field: FieldDefinition;
  onChange: (value: string) => void;
  onApply: () => void;
}

/** What a field is compared with, typed or chosen as its type asks for. */
export function ConditionValue({ label, condition: { operator, value }, field, onChange, onApply }: Props) {
  const { FilterInput } = valueType(field);
  return <FilterInput {...{ label, operator, value, field, onChange, onApply }} RecordPicker={ReferencePicker} />;
}
