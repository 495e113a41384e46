import {
  IconAt,
  IconBraces,
  IconCalendar,
  IconClock,
  IconFile,
  IconHash,
  IconLetterT,
  IconLink,
  IconMathFunction,
  IconRelationOneToMany,
  IconToggleLeft,
  type TablerIcon,
} from '@tabler/icons-react';
import type { FieldType } from './field-types';

const ICONS: Record<FieldType, TablerIcon> = {
  text: IconLetterT,
  number: IconHash,
  boolean: IconToggleLeft,
  datetime: IconClock,
  date: IconCalendar,
  email: IconAt,
  url: IconLink,
  json: IconBraces,
  reference: IconRelationOneToMany,
  file: IconFile,
  computed: IconMathFunction,
};

export function FieldTypeIcon({ type }: { type: string }) {
  const Icon = ICONS[type as FieldType] as TablerIcon | undefined;
  return Icon ? <Icon size={14} stroke={1.6} aria-hidden /> : null;
}
