/** The parameters of a macro as they are typed. */
import { parseJson } from '@/ui/JsonInput';

export function namesOf(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Numbers, true, false and null as such, everything else as text. */
export function valueOf(text: string): string | number | boolean | null {
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value : text;
  return value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : text;
}

/** How a rule calls it. */
export function callOf(name: string, parameters: readonly string[]): string {
  return parameters.length === 0 ? `@${name}` : `@${name}(${parameters.join(', ')})`;
}
