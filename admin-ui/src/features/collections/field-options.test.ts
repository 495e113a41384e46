import { describe, expect, it } from 'vitest';
import { choicesOf, optionsOf, optionTexts } from './field-options';

describe('field options', () => {
  it('round-trip, with keys that nobody here knows', () => {
    const stored = { min_length: 2, pattern: '^a', enum: ['ab', 'ac'], sample: true };
    expect(optionsOf('text', optionTexts(stored), stored)).toEqual(stored);
    const range = { min: 0.5, max: 10 };
    expect(optionsOf('number', optionTexts(range), range)).toEqual(range);
    expect(optionsOf('date', { min: '2026-01-01' }, null)).toEqual({ min: '2026-01-01' });
  });
  it('drop what does not go with the type, and what was emptied', () => {
    expect(optionsOf('number', { pattern: 'x', min: '' }, { pattern: 'x' })).toBeNull();
  });
  it('leave to the server what is no number', () => {
    expect(optionsOf('number', { min: 'few' }, null)).toEqual({ min: 'few' });
    expect(optionsOf('number', { enum: '1, two' }, null)).toEqual({ enum: [1, 'two'] });
  });
});

describe('choicesOf', () => {
  it('knows both ways to write a list', () => {
    expect(choicesOf(['a', 'b'])).toEqual(['a', 'b']);
    expect(choicesOf({ enum: [1, 2] })).toEqual(['1', '2']);
    expect(choicesOf({ min: 1 })).toBeNull();
  });
});
