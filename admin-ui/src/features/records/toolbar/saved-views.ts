/** Ways of looking at a collection that somebody gave a name to: kept in this browser. */
import { useLocalStorage } from '@mantine/hooks';
import { keptKey } from '@/features/collections/kept';
import type { Layout } from '../columns';

export interface SavedView {
  name: string;
  sort: string;
  filter: string;
  search: string;
  layout: Layout;
}

export function useSavedViews(collection: string) {
  const [views, setViews] = useLocalStorage<SavedView[]>({
    key: keptKey('views', collection),
    defaultValue: [],
    getInitialValueInEffect: false,
  });
  return {
    views,
    /** One name stands for one view; saving it again replaces it. */
    save: (view: SavedView) => setViews([...views.filter((other) => other.name !== view.name), view]),
    remove: (name: string) => setViews(views.filter((other) => other.name !== name)),
    restore: setViews,
  };
}
