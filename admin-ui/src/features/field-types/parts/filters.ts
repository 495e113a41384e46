/** How values are compared and written in filters. */
import type { Operator } from '../definition';

export const TEXT_OPERATORS: readonly Operator[] = ['contains', '=', '!=', 'starts', 'ends', 'in', 'empty', 'filled'];
export const ORDERED_OPERATORS: readonly Operator[] = ['=', '!=', '>', '>=', '<', '<=', 'in', 'empty', 'filled'];
export const TIME_OPERATORS: readonly Operator[] = ['=', '!=', '>', '>=', '<', '<=', 'empty', 'filled'];
export const PRESENCE_OPERATORS: readonly Operator[] = ['empty', 'filled'];

/** Whether the operator compares with exactly one value of the field. */
export function comparesOne(operator: Operator): boolean {
  return operator === '=' || operator === '!=';
}

export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
