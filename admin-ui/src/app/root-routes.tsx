/** What all other routes stand below. */
import { createRootRoute, createRoute, Outlet, redirect } from '@tanstack/react-router';
import { session } from '@/api/session';
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
  component: Frame,
});
