export type Comparer<T> = (a: T, b: T) => number;

/** Compares as the server sorts, as in `-priority,title`: null comes first, text by code points, the id decides last. */
export function comparer<T extends { id: string }>(sort: string): Comparer<T> {
  const keys = sort.split(',').map(parseKey).filter((key) => key.field !== '');
  if (!keys.some((key) => key.field === 'id')) {
    keys.push({ field: 'id', sign: keys.at(-1)?.sign ?? 1 });
  }
  return (a, b) => {
    for (const { field, sign } of keys) {
      const order = compare(a[field as keyof T], b[field as keyof T]);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

function parseKey(part: string): { field: string; sign: number } {
  const name = part.trim();
  const descending = name.startsWith('-');
  return { field: name.replace(/^[-+]/, ''), sign: descending ? -1 : 1 };
}

function compare(a: unknown, b: unknown): number {
  if (a == null || b == null) return Number(a != null) - Number(b != null);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return Number(a) - Number(b);
}

/** By code points. JavaScript compares UTF-16 units, which puts characters beyond U+FFFF before some below. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
