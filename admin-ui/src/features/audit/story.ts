/** What an entry tells, as the parts of a sentence that begins with who did it. */
import { shortId } from '@/ui/format';
import { type AuditEntry, collectionOf } from './entries';

export interface Story {
  /** What was done, with the kind of thing where it is not a record: `created user`. */
  verb: string;
  /** What it was done to; empty where the verb says all. */
  name: string;
  /** Where that belongs, as in `in posts`. */
  context: string;
}

const VERBS: Record<string, string> = {
  CREATE: 'created',
  UPDATE: 'updated',
  DELETE: 'deleted',
  LOGIN: 'signed in',
  LOGIN_FAILED: 'failed to sign in',
  LOGOUT: 'signed out',
  EXPORT: 'exported',
  REVEAL: 'read encrypted fields of',
};

/** The tables of the server by what their rows are. */
const NOUNS: Record<string, string> = {
  users: 'user',
  accounts: 'account',
  groups: 'group',
  group_members: 'group member',
  roles: 'role',
  collections: 'collection',
  macros: 'macro',
  api_keys: 'API key',
  invitations: 'invitation for',
  sessions: 'session',
  rooms: 'room',
};

export const SERVER_TABLES = Object.keys(NOUNS);

/** The columns that most likely say what a row is, the best first. */
const TITLE_COLUMNS = ['name', 'title', 'label', 'subject', 'email', 'body', 'slug'];

/** What the entry itself says of the name of the thing. */
export function titleIn({ changes }: AuditEntry): string | null {
  for (const column of TITLE_COLUMNS) {
    const change = changes.find(({ name }) => name === column);
    const title = change?.after ?? change?.before;
    if (title) return title;
  }
  return null;
}

/** `title` is that of the record, where it was looked up. */
export function storyOf(entry: AuditEntry, title?: string): Story {
  const { operation, table, recordId } = entry;
  const verb = VERBS[operation] ?? operation.toLowerCase();
  const name = titleIn(entry) ?? title ?? shortId(recordId);
  if (operation === 'LOGIN_FAILED') return { verb: `${verb} as`, name, context: '' };
  if (operation === 'LOGIN' || operation === 'LOGOUT') return { verb, name: '', context: '' };
  if (table === 'group_members') return { verb: operation === 'DELETE' ? 'removed a member from group' : 'added a member to group', name, context: '' };
  const collection = collectionOf(table);
  if (operation === 'EXPORT') return { verb: `${verb} ${collection ?? 'the audit trail'}`, name: '', context: '' };
  if (collection !== null) return { verb, name, context: `in ${collection}` };
  const noun = NOUNS[table] ?? table.replaceAll('_', ' ');
  return { verb: `${verb} ${noun}`, name, context: '' };
}
