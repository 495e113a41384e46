/** Everything the palette can do: pages, collections with their tabs, actions. */
import { useMantineColorScheme } from '@mantine/core';
import { IconCode, IconDatabase, IconLogout, IconMoon, IconPlus, IconShieldLock, IconSun, IconTable, type TablerIcon } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { PAGES } from '@/app/shell/nav';
import { collectionNamesQuery } from '@/features/collections/queries';
import { signOut } from '@/features/session/queries';

export interface Command {
  id: string;
  label: string;
  group: 'Collections' | 'Pages' | 'Actions';
  icon: TablerIcon;
  /** Other words by which people look for it. */
  words?: string;
  run: () => void;
}

const TABS = [
  { to: '/collections/$name/fields', label: 'Fields', icon: IconDatabase },
  { to: '/collections/$name/rules', label: 'Rules', icon: IconShieldLock },
  { to: '/collections/$name/api', label: 'API', icon: IconCode },
] as const;

export function useCommands(): Command[] {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { setColorScheme } = useMantineColorScheme();
  const { name: current } = useParams({ strict: false });
  const names = useQuery(collectionNamesQuery).data?.names ?? [];
  const collections = names.flatMap((name): Command[] => [
    {
      id: `records ${name}`,
      label: name,
      group: 'Collections',
      icon: IconTable,
      run: () => void navigate({ to: '/collections/$name/records', params: { name } }),
    },
    ...TABS.map(({ to, label, icon }): Command => ({
      id: `${label} ${name}`,
      label: `${name}: ${label}`,
      group: 'Collections',
      icon,
      run: () => void navigate({ to, params: { name } }),
    })),
  ]);
  const pages = PAGES.map(({ to, label, icon, words }): Command => ({ id: to, label, group: 'Pages', icon, words, run: () => void navigate({ to }) }));
  const actions: Command[] = [
    { id: 'new-collection', label: 'Create collection', group: 'Actions', icon: IconPlus, words: 'new table', run: () => void navigate({ to: '/collections/new' }) },
    { id: 'light', label: 'Light appearance', group: 'Actions', icon: IconSun, words: 'theme mode', run: () => setColorScheme('light') },
    { id: 'dark', label: 'Dark appearance', group: 'Actions', icon: IconMoon, words: 'theme mode', run: () => setColorScheme('dark') },
    { id: 'sign-out', label: 'Sign out', group: 'Actions', icon: IconLogout, words: 'log out', run: () => void signOut(queries) },
  ];
  if (current !== undefined) {
    actions.unshift({
      id: 'new-record',
      label: `Create record in ${current}`,
      group: 'Actions',
      icon: IconPlus,
      run: () => void navigate({ to: '/collections/$name/records/new', params: { name: current } }),
    });
  }
  return [...pages, ...actions, ...collections];
}
