import { describe, expect, it } from 'vitest';
import { figure, sampleOf } from './metrics';

const TEXT = `# TYPE snackbase_realtime_connections gauge
snackbase_realtime_connections{protocol="ws"} 3
snackbase_realtime_connections{protocol="sse"} 2
# TYPE snackbase_realtime_deliveries_total counter
snackbase_realtime_deliveries_total 120
snackbase_realtime_lagging_connections 1
`;

describe('figures of realtime', () => {
  it('are read out of the text, over all labels', () => {
    expect(sampleOf(TEXT)).toEqual({ connections: 5, lagging: 1 });
    expect(figure(TEXT, 'snackbase_realtime_deliveries')).toBe(0);
  });
});
