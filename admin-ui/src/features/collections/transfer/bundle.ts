/** An exported file before it is imported: what is in it, and under which names. */
import type { CollectionExport } from '@/api/types';
import { parseJson } from '@/ui/JsonInput';

export function readBundle(text: string): CollectionExport {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(`The file is not JSON: ${parsed.message}`);
  const data = parsed.value as Partial<CollectionExport> | null;
  const collections: unknown = typeof data === 'object' ? data?.collections : null;
  const named = (entry: unknown) => typeof (entry as { name?: unknown } | null)?.name === 'string' && Array.isArray((entry as { schema?: unknown }).schema);
  if (!Array.isArray(collections) || !collections.every(named)) throw new Error('The file has no list of collections with names and schemas.');
  return data as CollectionExport;
}

/** The same file under other names; references inside of it follow. */
export function renamed(bundle: CollectionExport, names: Record<string, string>): CollectionExport {
  const now = (name: string) => names[name]?.trim() ?? name;
  return {
    ...bundle,
    collections: bundle.collections.map((collection) => ({
      ...collection,
      name: now(collection.name),
      schema: collection.schema.map((field) => (field.collection ? { ...field, collection: now(field.collection) } : field)),
    })),
  };
}

/** What importing will do to one collection. */
export type Fate = 'new' | 'update' | 'skip' | 'refuse';

/** Names are compared as the server does, without regard to case. */
export function fateOf(name: string, existing: readonly string[], strategy: 'error' | 'skip' | 'update'): Fate {
  if (!existing.some((other) => other.toLowerCase() === name.trim().toLowerCase())) return 'new';
  return strategy === 'error' ? 'refuse' : strategy;
}
