import { describe, expect, it } from 'vitest';
import { added, type Arrival, filterRefusal, lastCursor, LIMIT } from './frames';

const arrival = (direction: Arrival['direction'], text: string): Arrival => ({ direction, text, at: 0 });

describe('frames', () => {
  it('are named by what they are', () => {
    const texts = ['{"type":"posts.create"}', '{"error":"no","code":"forbidden"}', 'id: a:1\nevent: message\ndata: {"type":"posts.update"}', ': connected', 'id: a:2', 'what'];
    const frames = added([], texts.map((text) => arrival('in', text)));
    expect(frames.map((frame) => frame.kind).reverse()).toEqual(['posts.create', 'error', 'posts.update', 'comment', 'position', 'text']);
    expect(added([], [arrival('out', '{"action":"ping"}'), arrival('note', 'Opened')]).map((frame) => frame.kind)).toEqual(['line', 'ping']);
  });
  it('stay bounded and keep counting', () => {
    const frames = added(added([], Array.from({ length: LIMIT }, () => arrival('in', 'x'))), [arrival('in', 'y')]);
    expect(frames).toHaveLength(LIMIT);
    expect(frames[0]).toMatchObject({ text: 'y', number: LIMIT + 1 });
  });
  it('tell where to go on', () => {
    const frames = added([], [arrival('in', '{"type":"posts.create","cursor":"a:1"}'), arrival('in', '{"type":"pong"}'), arrival('out', '{"since":"x"}')]);
    expect(lastCursor(frames)).toBe('a:1');
    expect(lastCursor(added(frames, [arrival('in', 'id: a:9')]))).toBe('a:9');
    expect(lastCursor([])).toBeNull();
  });
  it('tell what was wrong with the filter, until the next subscription', () => {
    const refused = added([], [arrival('out', '{"action":"subscribe"}'), arrival('in', '{"error":"no (at position 3)","code":"invalid_filter"}'), arrival('in', '{"type":"pong"}')]);
    expect(filterRefusal(refused)).toBe('no (at position 3)');
    expect(filterRefusal(added(refused, [arrival('out', '{"action":"subscribe"}')]))).toBeNull();
  });
});
