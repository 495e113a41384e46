import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { gatherEvents, type RecordEvent } from './events';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('hands events over together, in order, and none twice', () => {
  const taken: RecordEvent[][] = [];
  const events = gatherEvents(new QueryClient(), ['list'], 50, (some) => taken.push(some));
  events.push({ id: 'a' });
  events.push({ id: 'b' });
  expect(taken).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(taken).toEqual([[{ id: 'a' }, { id: 'b' }]]);
  events.push({ id: 'c' });
  events.stop();
  vi.advanceTimersByTime(200);
  expect(taken).toHaveLength(1);
});

it('keeps events back while the list that they change is on its way', async () => {
  const queries = new QueryClient();
  const taken: RecordEvent[][] = [];
  const events = gatherEvents(queries, ['list'], 50, (some) => taken.push(some));
  let answer: (page: string) => void = () => undefined;
  const reading = queries.query({ queryKey: ['list', 1], queryFn: () => new Promise<string>((resolve) => (answer = resolve)) });
  events.push({ id: 'a' });
  vi.advanceTimersByTime(200);
  expect(taken).toEqual([]);
  answer('older');
  await reading;
  vi.advanceTimersByTime(50);
  expect(taken).toEqual([[{ id: 'a' }]]);
  events.stop();
});
