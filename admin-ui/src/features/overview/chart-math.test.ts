import { expect, test } from 'vitest';
import type { Minute } from '@/api/types';
import { barAt, highest, latest, spans, ticks } from './chart-math';

test('the scale reaches the highest stack, and exists without data', () => {
  expect(highest([[1, 2], [4, 0]])).toBe(4);
  expect(highest([])).toBe(1);
});

test('lines stand at round values within the scale', () => {
  for (const top of [1, 3, 7, 42, 99, 100, 12_345]) {
    const values = ticks(top);
    expect(values.length).toBeGreaterThan(0);
    expect(values.every((value) => value > 0 && value <= top)).toBe(true);
  }
  expect(ticks(100)).toEqual([50, 100]);
  expect(ticks(5 * 1024 * 1024, 1024)).toEqual([2 * 1024 * 1024, 4 * 1024 * 1024].map((value) => value * 1.25));
});

test('the pointer chooses the bar under it', () => {
  expect(barAt(0, 100, 10)).toBe(0);
  expect(barAt(99, 100, 10)).toBe(9);
  expect(barAt(100, 100, 10)).toBeNull();
  expect(barAt(5, 0, 10)).toBeNull();
});

const minute = (patch: Partial<Minute>): Minute => ({
  at: '2026-01-01T00:00:00.000Z',
  requests: 0,
  client_errors: 0,
  server_errors: 0,
  median_milliseconds: null,
  p95_milliseconds: null,
  realtime_connections: null,
  realtime_deliveries: 0,
  database_bytes: null,
  ...patch,
});

test('minutes are put together without losing a request or a delivery', () => {
  const [first, second] = spans(
    [
      minute({ requests: 10, client_errors: 2, server_errors: 1, p95_milliseconds: 5, realtime_connections: 3, realtime_deliveries: 7, database_bytes: 4096 }),
      minute({ requests: 4, realtime_connections: 1, realtime_deliveries: 2, database_bytes: 8192 }),
      minute({}),
    ],
    2,
  );
  expect(first).toMatchObject({ requests: 14, refused: 2, failed: 1, p95: 5, connections: 3, deliveries: 9, bytes: 8192 });
  expect(second).toMatchObject({ requests: 0, p95: null, connections: null, deliveries: 0, bytes: null });
});

test('the latest value is the last one that is known, zero included', () => {
  expect(latest([3, 0, null], (value) => value)).toBe(0);
  expect(latest([null], (value) => value)).toBeNull();
});
