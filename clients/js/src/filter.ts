/** A value that a filter can compare with. */
export type FilterValue = string | number | boolean | null | Date | readonly FilterValue[];

/**
 * Builds a filter in which every value is escaped: ``filter`title ~ ${contains(word)} && done = ${false}` ``.
 * An array becomes a list for `IN`.
 *
 * @throws TypeError for a value that the filter language cannot express, such as NaN or an empty array.
 */
export function filter(parts: TemplateStringsArray, ...values: FilterValue[]): string {
  return parts.reduce((text, part, index) => text + literal(values[index - 1] as FilterValue) + part);
}

/** A pattern for `~` that finds `text` anywhere, with `%`, `_` and `\` taken as themselves. */
export function contains(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function literal(value: FilterValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (typeof value === 'number' && Number.isFinite(value)) return plainNumber(value);
  if (value instanceof Date) return `'${value.toISOString()}'`;
  if (Array.isArray(value) && value.length > 0) return `(${value.map(literal).join(', ')})`;
  throw new TypeError(`a filter cannot contain ${Array.isArray(value) ? 'an empty list' : String(value)}`);
}

/** The filter language has no exponents. */
function plainNumber(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Math.abs(value) < 1 ? value.toFixed(100).replace(/0+$/, '') : BigInt(value).toString();
}
