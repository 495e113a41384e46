import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './root-routes';
import { invitationsSearch, listSearch, usersSearch } from './search';

const users = createRoute({
  getParentRoute: () => app,
  path: '/users',
  validateSearch: usersSearch,
  component: lazyRouteComponent(() => import('@/features/users/UsersPage'), 'UsersPage'),
});

const newUser = createRoute({
  getParentRoute: () => users,
  path: 'new',
  component: lazyRouteComponent(() => import('@/features/users/UserDrawer'), 'NewUserDrawer'),
});

const newSuperadmin = createRoute({
  getParentRoute: () => users,
  path: 'new-superadmin',
  component: lazyRouteComponent(() => import('@/features/users/UserDrawer'), 'NewSuperadminDrawer'),
});

const user = createRoute({
  getParentRoute: () => users,
  path: '$id',
  component: lazyRouteComponent(() => import('@/features/users/UserDrawer'), 'UserDrawer'),
});

const accounts = createRoute({
  getParentRoute: () => app,
  path: '/accounts',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('@/features/accounts/AccountsPage'), 'AccountsPage'),
});

const newAccount = createRoute({
  getParentRoute: () => accounts,
  path: 'new',
  component: lazyRouteComponent(() => import('@/features/accounts/AccountDrawer'), 'NewAccountDrawer'),
});

const account = createRoute({
  getParentRoute: () => accounts,
  path: '$id',
  component: lazyRouteComponent(() => import('@/features/accounts/AccountDrawer'), 'AccountDrawer'),
});

const groups = createRoute({
  getParentRoute: () => app,
  path: '/groups',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('@/features/groups/GroupsPage'), 'GroupsPage'),
});

const newGroup = createRoute({
  getParentRoute: () => groups,
  path: 'new',
  component: lazyRouteComponent(() => import('@/features/groups/GroupDrawer'), 'NewGroupDrawer'),
});

const group = createRoute({
  getParentRoute: () => groups,
  path: '$id',
  component: lazyRouteComponent(() => import('@/features/groups/GroupDrawer'), 'GroupDrawer'),
});

const roles = createRoute({
  getParentRoute: () => app,
  path: '/roles',
  component: lazyRouteComponent(() => import('@/features/roles/RolesPage'), 'RolesPage'),
});

const invitations = createRoute({
  getParentRoute: () => app,
  path: '/invitations',
  validateSearch: invitationsSearch,
  component: lazyRouteComponent(() => import('@/features/invitations/InvitationsPage'), 'InvitationsPage'),
});

const apiKeys = createRoute({
  getParentRoute: () => app,
  path: '/api-keys',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('@/features/api-keys/ApiKeysPage'), 'ApiKeysPage'),
});

export const peopleRoutes = [
  users.addChildren([newUser, newSuperadmin, user]),
  accounts.addChildren([newAccount, account]),
  groups.addChildren([newGroup, group]),
  roles,
  invitations,
  apiKeys,
] as const;
