import type { KeyScope } from '@/api/types';

/** What each scope lets a key do. Complete by its type: a new scope has to be named here. */
export const SCOPES: Record<KeyScope, string> = {
  'records:read': 'Read records',
  'records:write': 'Write records',
  'records:secrets:read': 'Read encrypted fields',
  'files:read': 'Read files',
  'files:write': 'Write files',
  admin: 'Administer',
};

export function scopeLabels(scopes: KeyScope[]): string {
  return scopes.length === 0 ? 'everything but secrets' : scopes.map((scope) => SCOPES[scope].toLowerCase()).join(', ');
}
