/** The pages of the sidebar and of the palette: a new page is one entry here. */
import { IconActivity, IconDatabase, IconLayoutDashboard, type TablerIcon } from '@tabler/icons-react';

export interface NavPage {
  to: string;
  label: string;
  icon: TablerIcon;
  /** Whether only the very address counts as being there. */
  exact?: boolean;
  /** Other words by which people look for it. */
  words?: string;
}

export interface NavGroup {
  /** Absent for the first group, which needs none. */
  label?: string;
  pages: NavPage[];
}

export const NAV: NavGroup[] = [
  {
    pages: [
      { to: '/', label: 'Overview', icon: IconLayoutDashboard, exact: true, words: 'home start dashboard' },
      { to: '/collections', label: 'Collections', icon: IconDatabase, exact: true, words: 'tables schema' },
      { to: '/live', label: 'Live', icon: IconActivity, words: 'realtime events' },
    ],
  },
];

export const PAGES: NavPage[] = NAV.flatMap((group) => group.pages);
