/** How a record of another collection is named and found. */
import type { Collection, RecordRow } from '@/api/types';
import { quoted } from '@/features/field-types/parts/filters';
import { fieldType } from '@/features/field-types/registry';
import { shortId } from '@/ui/format';
import { patternOf } from './filter/filter-text';

/** The field that most likely says what a record is. */
export function titleField(collection: Collection): string | null {
  const texts = collection.schema.filter((field) => fieldType(field.type).title && !field.encrypted);
  const named = texts.find((field) => ['name', 'title', 'label', 'email'].includes(field.name));
  return (named ?? texts[0])?.name ?? null;
}

/** Null when the record says nothing of itself. */
export function plainTitle(record: Record<string, unknown>, field: string | null): string | null {
  const value = field === null ? null : record[field];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Two records may have the same title, so the beginning of the id stands beside it. */
export function titleOf(record: RecordRow, field: string | null): string {
  const title = plainTitle(record, field);
  return title === null ? record.id : `${title} (${shortId(record.id)})`;
}

/** A filter for what was typed: an id when it looks like one, else part of the title. */
export function referenceFilter(text: string, field: string | null): string {
  const typed = text.trim();
  if (typed === '') return '';
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(typed)) return `id = ${quoted(typed)}`;
  return `${field ?? 'id'} ~ ${quoted(`%${patternOf(typed)}%`)}`;
}
