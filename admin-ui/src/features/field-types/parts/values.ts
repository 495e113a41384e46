/** Values and their texts, for several types. */
import { parseJson } from '@/ui/JsonInput';
import type { Parsed } from '../definition';
import type { FieldDraft } from '../draft';

export function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function asIs(text: string): Parsed {
  return { ok: true, value: text };
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

export function textDefault({ defaultText }: FieldDraft) {
  return { default: defaultText === '' ? null : defaultText };
}

/** What cannot be read as JSON is sent as text, for the server to judge. */
export function jsonDefault({ defaultText }: FieldDraft) {
  if (defaultText === '') return { default: null };
  const parsed = parseJson(defaultText);
  return { default: parsed.ok ? parsed.value : defaultText };
}
