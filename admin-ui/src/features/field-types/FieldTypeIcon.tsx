import type { FieldTypeName } from './draft';
import { fieldType } from './registry';

export function FieldTypeIcon({ type }: { type: FieldTypeName }) {
  const Icon = fieldType(type).icon;
  return <Icon size={14} stroke={1.6} aria-hidden />;
}
