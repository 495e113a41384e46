import { expect, test } from 'vitest';
import type { Minute } from '@/api/types';
import { barAt, highest, spans, ticks } from './chart-math';

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
});

test('the pointer chooses the bar under it', () => {
  expect(barAt(0, 100, 10)).toBe(0);
  expect(barAt(99, 100, 10)).toBe(9);
  expect(barAt(100, 100, 10)).toBeNull();
  expect(barAt(5, 0, 10)).toBeNull();
});

const minute = (requests: number, client_errors: number, p95: number | null): Minute => ({
  at: '2026-01-01T00:00:00.000Z',
  requests,
  client_errors,
  server_errors: 1,
  median_milliseconds: p95,
  p95_milliseconds: p95,
});

test('minutes are put together without losing a request', () => {
  const [first, second] = spans([minute(10, 2, 5), minute(4, 0, null), minute(1, 0, 1)], 2);
  expect(first).toMatchObject({ fine: 10, refused: 2, failed: 2, p95: 5 });
  expect(second).toMatchObject({ fine: 0, failed: 1, p95: 1 });
});
