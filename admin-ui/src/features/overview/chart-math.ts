import type { Minute } from '@/api/types';

/** The top of the scale: the highest bar, never zero. */
export function highest(bars: number[][]): number {
  return Math.max(1, ...bars.map((parts) => parts.reduce((sum, part) => sum + part, 0)));
}

/** Two round values to draw lines at. */
export function ticks(top: number): number[] {
  const magnitude = 10 ** Math.floor(Math.log10(top));
  const step = [1, 2, 5, 10].map((factor) => (factor * magnitude) / 2).find((size) => top / size <= 3) ?? top;
  return [step, 2 * step].filter((value) => value <= top);
}

/** The bar under a place of the plot. */
export function barAt(x: number, width: number, count: number): number | null {
  if (width <= 0 || count === 0 || x < 0 || x >= width) return null;
  return Math.floor((x / width) * count);
}

export interface Span {
  at: string;
  fine: number;
  refused: number;
  failed: number;
  /** The slowest of the minutes' medians, and of their 95th percentiles; 0 without requests. */
  median: number;
  p95: number;
}

/** Minutes put together, so that a day fits on the screen. */
export function spans(minutes: Minute[], size: number): Span[] {
  const groups = Array.from({ length: Math.ceil(minutes.length / size) }, (_, index) => minutes.slice(index * size, (index + 1) * size));
  return groups.map((group) => {
    const sum = (value: (minute: Minute) => number) => group.reduce((total, minute) => total + value(minute), 0);
    const refused = sum((minute) => minute.client_errors);
    const failed = sum((minute) => minute.server_errors);
    return {
      at: group[0]?.at ?? '',
      fine: sum((minute) => minute.requests) - refused - failed,
      refused,
      failed,
      median: Math.max(0, ...group.map((minute) => minute.median_milliseconds ?? 0)),
      p95: Math.max(0, ...group.map((minute) => minute.p95_milliseconds ?? 0)),
    };
  });
}
