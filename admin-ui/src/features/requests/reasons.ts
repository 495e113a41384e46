/** What a status usually means here, and where to look next. */
import type { RequestEntry } from '@/api/types';

interface Reason {
  title: string;
  text: string;
}

const REASONS: Record<number, Reason> = {
  400: { title: 'Bad request', text: 'The query or the body could not be read: a filter, a sort, a parameter or JSON is wrong. The answer names the part.' },
  401: { title: 'Not authenticated', text: 'There were no credentials, or the token was expired, revoked or of another server. Clients renew their token and try again.' },
  403: { title: 'Not allowed', text: 'The caller is known but may not do this: a rule is locked, a scope of the API key is missing, or only superadmins may.' },
  404: { title: 'Not found', text: 'Nothing has this name or id in the account of the caller, or a rule hides the record from them. Both are answered alike on purpose.' },
  409: { title: 'Conflict', text: 'Something with this unique value exists, the record is referred to, or it changed in the meantime.' },
  413: { title: 'Too large', text: 'The body is larger than the server accepts.' },
  415: { title: 'Unsupported media type', text: 'The body is not of a type that this endpoint reads. Most take application/json.' },
  422: { title: 'Invalid values', text: 'Fields are missing or their values were refused. The answer names each of them.' },
  429: { title: 'Too many requests', text: 'A limit was reached. The Retry-After header of the answer says when to try again.' },
  503: { title: 'Unavailable', text: 'The server was starting, stopping or could not reach its database.' },
};

export function reasonFor({ status, path }: Pick<RequestEntry, 'status' | 'path'>): Reason | null {
  if (status === 404 && path === 'unmatched') return { title: 'No such route', text: 'No endpoint has this path and method. Check for a typing error or a missing /api/v1.' };
  const known = REASONS[status];
  if (known) return known;
  if (status >= 500) return { title: 'Server error', text: 'The request failed inside the server. The log has the cause under the correlation id.' };
  return status >= 400 ? { title: 'Refused', text: 'The answer says why. The log has it under the correlation id.' } : null;
}
