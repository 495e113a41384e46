/** What the server counts of realtime, out of its figures in Prometheus' format. */

export interface RealtimeSample {
  connections: number;
  /** Connections that read the log because their queue was full. */
  lagging: number;
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

export function sampleOf(text: string): RealtimeSample {
  const of = (name: string) => figure(text, `snackbase_realtime_${name}`);
  return { connections: of('connections'), lagging: of('lagging_connections') };
}
