import { describe, expect, it } from 'vitest';
import { limitedScopes, scopeLabels } from './scopes';

describe('scopes', () => {
  it('never turn a limited key into one that may do everything', () => {
    expect(limitedScopes(['records:read'])).toEqual(['records:read']);
    expect(limitedScopes(['records:secrets:read'])).toEqual(['records:secrets:read', 'restricted']);
    expect(limitedScopes([])).toEqual(['restricted']);
  });
  it('are told as the server understands them', () => {
    expect(scopeLabels([])).toBe('everything except encrypted fields');
    expect(scopeLabels(['records:secrets:read'])).toBe('everything, including encrypted fields');
    expect(scopeLabels(['records:secrets:read', 'restricted'])).toBe('read encrypted fields');
  });
});
