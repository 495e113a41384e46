import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '@/api/errors';
import { inBatches, MOST_FAILURES } from './chunks';

const signal = new AbortController().signal;
const items = Array.from({ length: 250 }, (_, index) => index);

/** Refuses a batch that holds one of these, as the server does. */
const refusing = (bad: number[], named: boolean) => (batch: number[]) => {
  const index = batch.findIndex((item) => bad.includes(item));
  if (index < 0) return Promise.resolve();
  return Promise.reject(new ApiError({ status: 400, message: `bad ${batch[index] ?? ''}`, index: named ? index : null }));
};

describe('inBatches', () => {
  it('sends a hundred at a time', async () => {
    const send = vi.fn((batch: number[]) => Promise.resolve(batch));
    expect(await inBatches({ items, send, onProgress: () => undefined, signal })).toEqual({ done: 250, failures: [], stopped: false });
    expect(send.mock.calls.map(([batch]) => batch.length)).toEqual([100, 100, 50]);
  });
  it('leaves out the ones that are refused, whether or not they are named', async () => {
    for (const named of [true, false]) {
      const progress: number[] = [];
      const outcome = await inBatches({ items, send: refusing([3, 120, 249], named), onProgress: (count) => progress.push(count), signal });
      expect(outcome.done).toBe(247);
      expect(outcome.failures.map((failure) => [failure.item, failure.message])).toEqual([
        [3, 'bad 3'],
        [120, 'bad 120'],
        [249, 'bad 249'],
      ]);
      expect(progress.at(-1)).toBe(250);
    }
  });
  it('gives up where nothing is accepted', async () => {
    const many = Array.from({ length: 2000 }, (_, index) => index);
    const outcome = await inBatches({ items: many, send: refusing(many, true), onProgress: () => undefined, signal });
    expect(outcome).toMatchObject({ done: 0, stopped: true });
    expect(outcome.failures).toHaveLength(MOST_FAILURES);
  });
  it('fails when the server does, and stops when asked to', async () => {
    const down = () => Promise.reject(new ApiError({ status: 503, message: 'busy' }));
    await expect(inBatches({ items, send: down, onProgress: () => undefined, signal })).rejects.toThrow('busy');
    const stopping = new AbortController();
    const send = () => {
      stopping.abort();
      return Promise.resolve();
    };
    expect(await inBatches({ items, send, onProgress: () => undefined, signal: stopping.signal })).toMatchObject({ done: 100, stopped: true });
  });
});
