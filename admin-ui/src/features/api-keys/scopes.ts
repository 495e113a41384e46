import type { KeyScope } from '@/api/types';

/** What each scope allows. Complete by its type: a new scope has to be named here. */
export const SCOPES: Record<KeyScope, string> = {
  'records:read': 'Read records',
  'records:write': 'Write records',
  'records:secrets:read': 'Read encrypted fields',
  'files:read': 'Read files',
  'files:write': 'Write files',
  admin: 'Administer, except superadmins',
  restricted: 'Nothing beyond the other scopes',
};

/** A key without any scope may do everything but read secrets. This scope adds to that; each other one limits the key. */
export const SECRETS: KeyScope = 'records:secrets:read';

/** The scopes to choose from: `restricted` alone would make a useless key. */
export const CHOICES = (Object.keys(SCOPES) as KeyScope[]).filter((scope) => scope !== 'restricted');

/** The scopes to send for what was chosen: without this, reading secrets alone would stand for everything. */
export function limitedScopes(chosen: readonly KeyScope[]): KeyScope[] {
  return chosen.every((scope) => scope === SECRETS) ? [...chosen, 'restricted'] : [...chosen];
}

export function scopeLabels(scopes: KeyScope[]): string {
  if (scopes.length === 0) return 'everything except encrypted fields';
  if (scopes.every((scope) => scope === SECRETS)) return 'everything, including encrypted fields';
  return scopes
    .filter((scope) => scope !== 'restricted')
    .map((scope) => SCOPES[scope].toLowerCase())
    .join(', ');
}
