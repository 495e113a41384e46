import { describe, expect, it } from 'vitest';
import { plural, relativeTime, shortId } from './format';

describe('format', () => {
  it('tells ids apart that were made in the same minute', () => {
    expect(shortId('01a1fd12-0d96-7638-9fae-60c274eaafdd')).toBe('…74eaafdd');
    expect(shortId('cid_0123456789ab')).toBe('cid_0123456789ab');
  });
  it('counts', () => {
    expect(plural(1, 'record')).toBe('1 record');
    expect(plural(1204, 'record')).toBe('1,204 records');
  });
  it('says how long ago', () => {
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect(relativeTime('2026-01-01T00:00:00Z', now)).toBe('yesterday');
    expect(relativeTime('2026-01-01T23:59:50Z', now)).toBe('just now');
    expect(relativeTime('never', now)).toBe('never');
  });
});
