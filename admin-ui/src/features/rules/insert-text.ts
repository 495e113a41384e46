/** Puts a piece of a rule at the cursor, with a space where words would run together. */
export function insertAt(text: string, start: number, end: number, piece: string): string {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const left = before !== '' && !/[\s(!]$/.test(before) ? ' ' : '';
  const right = after !== '' && !/^[\s)]/.test(after) ? ' ' : '';
  return before + left + piece + right + after;
}
