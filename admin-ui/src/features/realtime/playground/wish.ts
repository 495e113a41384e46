/** What a subscription asks for, as the address of the page keeps it, as a message and as a query. */
import type { PlaygroundSearch } from '@/app/search';

export const OPERATIONS = ['create', 'update', 'delete'] as const;

/** A subscription; nothing but the collection has to be there. */
export type Wish = Omit<PlaygroundSearch, 'as' | 'via'> & { collection: string };

export function listOf(text: string | undefined): string[] {
  return (text ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
}

/** A whole number goes as one; every other reference as text. */
function referenceOf(text: string): string | number {
  return /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

/** The message over WebSocket. Without a choice of operations it names none, which means all. */
export function messageOf(wish: Wish): Record<string, unknown> {
  const list = (text: string | undefined) => (listOf(text).length === 0 ? undefined : listOf(text));
  const message = {
    action: 'subscribe',
    ref: wish.ref === undefined ? undefined : referenceOf(wish.ref),
    collection: wish.collection,
    operations: wish.operations === undefined ? undefined : listOf(wish.operations),
    record: wish.record,
    filter: wish.filter,
    fields: list(wish.fields),
    expand: list(wish.expand),
    old: wish.old,
    since: wish.snapshot ? undefined : wish.since,
    snapshot: wish.snapshot,
    sort: wish.snapshot ? wish.sort : undefined,
    limit: wish.snapshot ? wish.limit : undefined,
  };
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
}

/** The query of a stream: the same keys, but for the reference, which a stream has no use for. */
export function queryOf(wish: Wish): [name: string, value: string][] {
  return Object.entries(messageOf(wish))
    .filter(([name]) => name !== 'action' && name !== 'ref')
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : String(value)]);
}

/** Whether the wish goes beyond a collection and its operations. */
export function isPlain(wish: Wish): boolean {
  return Object.keys(messageOf(wish)).every((name) => ['action', 'collection', 'operations'].includes(name));
}
