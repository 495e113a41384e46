import { describe, expect, it } from 'vitest';
import { isLate, lagWords } from './lag';

const state = { pulling: false, behind: 0, queued_frames: 0, queued_bytes: 0 };

describe('how far behind a connection is', () => {
  it('is said in words', () => {
    expect(lagWords(state)).toBe('keeps up');
    expect(lagWords({ ...state, queued_frames: 1, queued_bytes: 512 })).toBe('1 frame waiting, 512 bytes');
    expect(lagWords({ ...state, pulling: true })).toBe('catching up');
    expect(lagWords({ ...state, pulling: true, behind: 1200 })).toBe('1,200 behind');
  });
  it('is late only when it reads the log', () => {
    expect(isLate({ ...state, queued_frames: 9 })).toBe(false);
    expect(isLate({ ...state, pulling: true })).toBe(true);
  });
});
