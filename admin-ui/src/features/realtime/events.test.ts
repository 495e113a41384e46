import { describe, expect, it } from 'vitest';
import { INITIAL, LIMIT, matches, reduce } from './events';

const frame = (id: string) => ({ type: 'posts.create', timestamp: 't', data: { id } });

describe('live list', () => {
  it('puts the newest first and reads the frame', () => {
    const state = reduce(INITIAL, { type: 'arrived', frames: [frame('a'), frame('b')] });
    expect(state.events.map((event) => event.recordId)).toEqual(['b', 'a']);
    expect(state.events[0]).toMatchObject({ collection: 'posts', operation: 'create', number: 2 });
  });
  it('stays bounded', () => {
    const frames = Array.from({ length: LIMIT + 20 }, (_, index) => frame(String(index)));
    const state = reduce(INITIAL, { type: 'arrived', frames });
    expect(state.events).toHaveLength(LIMIT);
    expect(state.events[0]?.recordId).toBe(String(LIMIT + 19));
  });
  it('holds events back while paused and shows them afterwards', () => {
    const paused = reduce(reduce(INITIAL, { type: 'pause' }), { type: 'arrived', frames: [frame('a')] });
    expect(paused.events).toHaveLength(0);
    expect(paused.held).toHaveLength(1);
    expect(reduce(paused, { type: 'resume' }).events).toHaveLength(1);
  });
  it('is narrowed down to an account', () => {
    const [event] = reduce(INITIAL, { type: 'arrived', frames: [{ ...frame('a'), data: { id: 'a', account_id: 'one' } }] }).events;
    if (!event) throw new Error('no event');
    expect(matches(event, { operations: [], text: '', account: 'one' })).toBe(true);
    expect(matches(event, { operations: [], text: '', account: 'two' })).toBe(false);
  });
  it('is narrowed down by operation and text', () => {
    const [event] = reduce(INITIAL, { type: 'arrived', frames: [frame('Aa')] }).events;
    if (!event) throw new Error('no event');
    expect(matches(event, { operations: [], text: '' })).toBe(true);
    expect(matches(event, { operations: ['create'], text: 'AA' })).toBe(true);
    expect(matches(event, { operations: ['delete'], text: '' })).toBe(false);
    expect(matches(event, { operations: [], text: 'bb' })).toBe(false);
  });
});
