/** What all other routes stand below. */
import { createRootRoute, createRoute, Outlet, redirect, retainSearchParams } from '@tanstack/react-router';
import { session } from '@/api/session';
import { appSearch } from './search';
import { CrashPage } from './CrashPage';
import { NotFoundPage } from './NotFoundPage';
import { Frame } from './shell/Frame';

export const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: CrashPage });

/** Everything for which one has to be signed in. */
export const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  beforeLoad: ({ location }) => {
    if (!session.current()) throw redirect({ to: '/login', search: { next: location.href } });
  },
  validateSearch: appSearch,
  // Every link keeps the account that is looked at.
  search: { middlewares: [retainSearchParams(['account'])] },
  component: Frame,
});
