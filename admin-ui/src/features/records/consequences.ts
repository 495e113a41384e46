import { plural } from '@/ui/format';
import type { Referrers } from './referrers';

/** What deleting a record does to those that refer to it, one sentence for each field. */
export function consequences(referrers: readonly Pick<Referrers, 'collection' | 'field' | 'onDelete' | 'total'>[]): string[] {
  return referrers.map(({ collection, field, onDelete, total }) => {
    const those = `${plural(total, 'record')} of ${collection}`;
    switch (onDelete) {
      case 'cascade':
        return `${those} ${total === 1 ? 'is' : 'are'} deleted with it.`;
      case 'set_null':
        return `${those} ${total === 1 ? 'loses its' : 'lose their'} ${field}.`;
      default:
        return `${those} ${total === 1 ? 'refers' : 'refer'} to it by ${field}, so the server will refuse.`;
    }
  });
}
