import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './root-routes';
import { connectionsSearch, liveSearch, playgroundSearch } from './search';

const live = createRoute({
  getParentRoute: () => app,
  path: '/live',
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import('@/features/realtime/LivePage'), 'LivePage'),
});

const connections = createRoute({
  getParentRoute: () => app,
  path: '/live/connections',
  validateSearch: connectionsSearch,
  component: lazyRouteComponent(() => import('@/features/realtime/connections/ConnectionsPage'), 'ConnectionsPage'),
});

const connection = createRoute({
  getParentRoute: () => connections,
  path: '$id',
  component: lazyRouteComponent(() => import('@/features/realtime/connections/ConnectionDrawer'), 'ConnectionDrawer'),
});

const playground = createRoute({
  getParentRoute: () => app,
  path: '/live/playground',
  validateSearch: playgroundSearch,
  component: lazyRouteComponent(() => import('@/features/realtime/playground/PlaygroundPage'), 'PlaygroundPage'),
});

export const realtimeRoutes = [live, connections.addChildren([connection]), playground] as const;
