import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './root-routes';
import { requestsSearch, settingsSearch } from './search';

const requests = createRoute({
  getParentRoute: () => app,
  path: '/requests',
  validateSearch: requestsSearch,
  component: lazyRouteComponent(() => import('@/features/requests/RequestsPage'), 'RequestsPage'),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  validateSearch: settingsSearch,
  component: lazyRouteComponent(() => import('@/features/settings/SettingsPage'), 'SettingsPage'),
});

export const operationRoutes = [requests, settings] as const;
