import type { Minute } from '@/api/types';

/** The top of the scale: the highest bar, and at least this much. */
export function highest(bars: number[][], least = 1): number {
  return Math.max(least, ...bars.map((parts) => parts.reduce((sum, part) => sum + part, 0)));
}

/** Two round values to draw lines at; with `base` 1024, round in KiB, MiB and so on. */
export function ticks(top: number, base = 1): number[] {
  const unit = base === 1 || top < base ? 1 : base ** Math.floor(Math.log(top) / Math.log(base));
  return roundTicks(top / unit).map((value) => value * unit);
}

function roundTicks(top: number): number[] {
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
  requests: number;
  refused: number;
  failed: number;
  /** The slowest of the minutes' medians, and of their 95th percentiles; null without requests. */
  median: number | null;
  p95: number | null;
  /** The most at once; null if nobody looked. */
  connections: number | null;
  deliveries: number;
  /** The last that is known; null if nobody looked. */
  bytes: number | null;
}

/** Minutes put together, so that a day fits on the screen. */
export function spans(minutes: Minute[], size: number): Span[] {
  const groups = Array.from({ length: Math.ceil(minutes.length / size) }, (_, index) => minutes.slice(index * size, (index + 1) * size));
  return groups.map((group) => {
    const sum = (value: (minute: Minute) => number) => total(group, value);
    const most = (value: (minute: Minute) => number | null | undefined) => {
      const known = group.map(value).filter((number) => typeof number === 'number');
      return known.length > 0 ? Math.max(...known) : null;
    };
    return {
      at: group[0]?.at ?? '',
      requests: sum((minute) => minute.requests),
      refused: sum((minute) => minute.client_errors),
      failed: sum((minute) => minute.server_errors),
      median: most((minute) => minute.median_milliseconds),
      p95: most((minute) => minute.p95_milliseconds),
      connections: most((minute) => minute.realtime_connections),
      deliveries: sum((minute) => minute.realtime_deliveries),
      bytes: latest(group, (minute) => minute.database_bytes),
    };
  });
}

export function total<T>(items: T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

/** The last value that is known. */
export function latest<T>(items: T[], value: (item: T) => number | null | undefined): number | null {
  const known = items.findLast((item) => typeof value(item) === 'number');
  return (known && value(known)) ?? null;
}
