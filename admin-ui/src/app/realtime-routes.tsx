import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './root-routes';
import { liveSearch, playgroundSearch } from './search';

const live = createRoute({
  getParentRoute: () => app,
  path: '/live',
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import('@/features/realtime/LivePage'), 'LivePage'),
});

const playground = createRoute({
  getParentRoute: () => app,
  path: '/live/playground',
  validateSearch: playgroundSearch,
  component: lazyRouteComponent(() => import('@/features/realtime/playground/PlaygroundPage'), 'PlaygroundPage'),
});

export const realtimeRoutes = [live, playground] as const;
