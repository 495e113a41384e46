/** The pages of the sidebar and of the palette: a new page is one entry here. */
import {
  IconActivity,
  IconBuilding,
  IconDatabase,
  IconFlask,
  IconFunction,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconListSearch,
  IconMail,
  IconPlugConnected,
  IconSchema,
  IconSettings,
  IconShield,
  type TablerIcon,
  IconUsers,
  IconUsersGroup,
} from '@tabler/icons-react';

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
      { to: '/map', label: 'Map', icon: IconSchema, words: 'relations references diagram rules access matrix permissions' },
      { to: '/macros', label: 'Macros', icon: IconFunction, words: 'rules queries functions' },
      { to: '/live', label: 'Live', icon: IconActivity, words: 'realtime events' },
    ],
  },
  {
    label: 'People',
    pages: [
      { to: '/users', label: 'Users', icon: IconUsers, words: 'people sessions password' },
      { to: '/accounts', label: 'Accounts', icon: IconBuilding, words: 'tenants organisations' },
      { to: '/groups', label: 'Groups', icon: IconUsersGroup, words: 'members pii_access' },
      { to: '/roles', label: 'Roles', icon: IconShield },
      { to: '/invitations', label: 'Invitations', icon: IconMail, words: 'invite' },
      { to: '/api-keys', label: 'API keys', icon: IconKey, words: 'tokens programs' },
    ],
  },
  {
    label: 'Operation',
    pages: [
      { to: '/requests', label: 'Requests', icon: IconListSearch, words: 'logs errors slow' },
      { to: '/audit', label: 'Audit', icon: IconHistory, words: 'trail who changed history' },
      { to: '/settings', label: 'Settings', icon: IconSettings, words: 'configuration environment variables' },
    ],
  },
];

/** Pages within pages: the palette leads there, the sidebar to what they stand in. */
const WITHIN: NavPage[] = [
  { to: '/live/connections', label: 'Realtime connections', icon: IconPlugConnected, words: 'subscriptions who is connected lag websocket sse' },
  { to: '/live/playground', label: 'Realtime playground', icon: IconFlask, words: 'subscribe websocket sse try as user' },
];

export const PAGES: NavPage[] = [...NAV.flatMap((group) => group.pages), ...WITHIN];
