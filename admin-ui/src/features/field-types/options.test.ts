import { describe, expect, it } from 'vitest';
import { choicesOf, optionsOf, optionTexts } from './options';
import { fieldType } from './registry';

describe('field options', () => {
  it('round-trip, with keys that nobody here knows', () => {
    const stored = { min_length: 2, pattern: '^a', enum: ['ab', 'ac'], sample: true };
    expect(optionsOf(fieldType('text'), optionTexts(stored), stored)).toEqual(stored);
    const range = { min: 0.5, max: 10 };
    expect(optionsOf(fieldType('number'), optionTexts(range), range)).toEqual(range);
    expect(optionsOf(fieldType('date'), { min: '2026-01-01' }, null)).toEqual({ min: '2026-01-01' });
  });
  it('drop what does not go with the type, and what was emptied', () => {
    expect(optionsOf(fieldType('number'), { pattern: 'x', min: '' }, { pattern: 'x' })).toBeNull();
  });
  it('leave to the server what is not a number', () => {
    expect(optionsOf(fieldType('number'), { min: 'few' }, null)).toEqual({ min: 'few' });
    expect(optionsOf(fieldType('number'), { enum: '1, two' }, null)).toEqual({ enum: [1, 'two'] });
  });
});

describe('choicesOf', () => {
  it('knows both ways to write a list', () => {
    expect(choicesOf(['a', 'b'])).toEqual(['a', 'b']);
    expect(choicesOf({ enum: [1, 2] })).toEqual(['1', '2']);
    expect(choicesOf({ min: 1 })).toBeNull();
  });
});
