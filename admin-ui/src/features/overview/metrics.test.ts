import { describe, expect, it } from 'vitest';
import { figure, intervalsOf, KEPT, type RealtimeSample, sampleOf } from './metrics';

const TEXT = `# TYPE snackbase_realtime_connections gauge
snackbase_realtime_connections{protocol="ws"} 3
snackbase_realtime_connections{protocol="sse"} 2
# TYPE snackbase_realtime_deliveries_total counter
snackbase_realtime_deliveries_total 120
snackbase_realtime_lagging_connections 1
`;

const sample = (at: number, deliveries: number): RealtimeSample => ({ at, connections: 3, subscriptions: 3, lagging: 1, deliveries });

describe('figures of realtime', () => {
  it('are read out of the text, over all labels', () => {
    expect(sampleOf(TEXT, 5)).toEqual({ at: 5, connections: 5, subscriptions: 0, lagging: 1, deliveries: 120 });
    expect(figure(TEXT, 'snackbase_realtime_deliveries')).toBe(0);
  });
  it('become a line of fixed length', () => {
    const intervals = intervalsOf([sample(100_000, 10), sample(110_000, 60), sample(120_000, 0)]);
    expect(intervals).toHaveLength(KEPT);
    expect(intervals.slice(-4).map(({ at, rate }) => [at, rate])).toEqual([[90_000, 0], [100_000, 0], [110_000, 5], [120_000, 0]]);
    expect(intervals.at(-1)).toMatchObject({ current: 2, lagging: 1 });
  });
});
