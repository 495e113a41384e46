/** What this browser keeps of each collection: its columns and its views. */
export const keptKey = (what: 'grid' | 'views', collection: string) => `snackbase.${what}.${collection}`;

/** Follows a collection to its new name. */
export function moveKept(from: string, to: string, storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> = localStorage): void {
  for (const what of ['grid', 'views'] as const) {
    const kept = storage.getItem(keptKey(what, from));
    if (kept === null) continue;
    storage.setItem(keptKey(what, to), kept);
    storage.removeItem(keptKey(what, from));
  }
}
