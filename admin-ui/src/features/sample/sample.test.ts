import { describe, expect, it } from 'vitest';
import { isSample, SAMPLE, SAMPLE_RECORDS } from './sample';

describe('the sample', () => {
  it('knows itself', () => {
    expect(isSample(SAMPLE.fields)).toBe(true);
    expect(isSample([{ name: 'title', type: 'text', options: null }])).toBe(false);
  });
  it('fills its own fields only', () => {
    const names = SAMPLE.fields.map((field) => field.name);
    for (const record of SAMPLE_RECORDS) expect(names).toEqual(expect.arrayContaining(Object.keys(record)));
  });
});
