/** What the server counts of realtime, out of its figures in Prometheus' format. */

export interface RealtimeSample {
  /** Milliseconds since the epoch. */
  at: number;
  connections: number;
  subscriptions: number;
  /** Connections that read the log because their queue was full. */
  lagging: number;
  /** Frames that were handed out since the server started. */
  deliveries: number;
}

/** The sum over all labels; what the server has not counted yet is zero. */
export function figure(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue;
    const rest = line.slice(name.length);
    const value = /^(?:\{.*\})? (\S+)/.exec(rest)?.[1];
    if (value !== undefined && Number.isFinite(Number(value))) sum += Number(value);
  }
  return sum;
}

export function sampleOf(text: string, at: number): RealtimeSample {
  const of = (name: string) => figure(text, `snackbase_realtime_${name}`);
  return { at, connections: of('connections'), subscriptions: of('subscriptions'), lagging: of('lagging_connections'), deliveries: of('deliveries_total') };
}

export const EVERY = 10_000;
/** Ten minutes of them. */
export const KEPT = 60;

export interface Interval {
  at: number;
  /** Connections that keep up, and those that do not. */
  current: number;
  lagging: number;
  /** Frames a second since the sample before. */
  rate: number;
}

/** As many intervals as are kept, the latest last; before the first sample there was nothing to see. */
export function intervalsOf(samples: RealtimeSample[]): Interval[] {
  const first = samples[0]?.at ?? 0;
  const missing = Array.from({ length: Math.max(0, KEPT - samples.length) }, (_, index) => index + 1).reverse();
  const before = missing.map((steps): Interval => ({ at: first - steps * EVERY, current: 0, lagging: 0, rate: 0 }));
  const seen = samples.map(({ at, connections, lagging, deliveries }, index): Interval => {
    const previous = samples[index - 1];
    const seconds = previous ? (at - previous.at) / 1000 : 0;
    // After a restart the server counts from zero again.
    const rate = previous && seconds > 0 ? Math.max(0, deliveries - previous.deliveries) / seconds : 0;
    return { at, current: Math.max(0, connections - lagging), lagging, rate };
  });
  return [...before, ...seen];
}
