import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './root-routes';
import { auditSearch, requestsSearch, settingsSearch } from './search';

const requests = createRoute({
  getParentRoute: () => app,
  path: '/requests',
  validateSearch: requestsSearch,
  component: lazyRouteComponent(() => import('@/features/requests/RequestsPage'), 'RequestsPage'),
});

const request = createRoute({
  getParentRoute: () => requests,
  path: '$number',
  component: lazyRouteComponent(() => import('@/features/requests/RequestDrawer'), 'RequestDrawer'),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  validateSearch: settingsSearch,
  component: lazyRouteComponent(() => import('@/features/settings/SettingsPage'), 'SettingsPage'),
});

const audit = createRoute({
  getParentRoute: () => app,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('@/features/audit/AuditPage'), 'AuditPage'),
});

export const operationRoutes = [requests.addChildren([request]), audit, settings] as const;
