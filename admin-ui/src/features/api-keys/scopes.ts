import type { KeyScope } from '@/api/types';

/** What each scope lets a key do. Complete by its type: a new scope has to be named here. */
export const SCOPES: Record<KeyScope, string> = {
  'records:read': 'Read records',
  'records:write': 'Write records',
  'records:secrets:read': 'Read encrypted fields',
  'files:read': 'Read files',
  'files:write': 'Write files',
  admin: 'Administer, except superadmins',
  restricted: 'Nothing but what is chosen here',
};

export function scopeLabels(scopes: KeyScope[]): string {
  if (scopes.length === 0) return 'everything but secrets';
  // This one adds to what a key may do, all others limit it.
  if (scopes.every((scope) => scope === 'records:secrets:read')) return 'everything, secrets included';
  return scopes.map((scope) => SCOPES[scope].toLowerCase()).join(', ');
}
