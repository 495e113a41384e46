import { createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { CrashPage } from './CrashPage';
import { NotFoundPage, NowherePage } from './NotFoundPage';
import { operationRoutes } from './operation-routes';
import { peopleRoutes } from './people-routes';
import { realtimeRoutes } from './realtime-routes';
import { app, root } from './root-routes';
import {
  accessSearch,
  apiSearch,
  collectionsSearch,
  loginSearch,
  newCollectionSearch,
  overviewSearch,
  recordSearch,
  recordsSearch,
  setupSearch,
} from './search';

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  component: lazyRouteComponent(() => import('@/features/session/LoginPage'), 'LoginPage'),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: setupSearch,
  component: lazyRouteComponent(() => import('@/features/session/SetupPage'), 'SetupPage'),
});

const overview = createRoute({
  getParentRoute: () => app,
  path: '/',
  validateSearch: overviewSearch,
  component: lazyRouteComponent(() => import('@/features/overview/OverviewPage'), 'OverviewPage'),
});

const collections = createRoute({
  getParentRoute: () => app,
  path: '/collections',
  validateSearch: collectionsSearch,
  component: lazyRouteComponent(() => import('@/features/collections/CollectionsPage'), 'CollectionsPage'),
});

const map = createRoute({
  getParentRoute: () => app,
  path: '/map',
  component: lazyRouteComponent(() => import('@/features/map/MapPage'), 'MapPage'),
});

const access = createRoute({
  getParentRoute: () => app,
  path: '/map/access',
  validateSearch: accessSearch,
  component: lazyRouteComponent(() => import('@/features/map/MapPage'), 'AccessPage'),
});

const newCollection = createRoute({
  getParentRoute: () => app,
  path: '/collections/new',
  validateSearch: newCollectionSearch,
  component: lazyRouteComponent(() => import('@/features/collections/NewCollectionPage'), 'NewCollectionPage'),
});

const collection = createRoute({
  getParentRoute: () => app,
  path: '/collections/$name',
  component: lazyRouteComponent(() => import('@/features/collections/CollectionPage'), 'CollectionPage'),
});

const collectionIndex = createRoute({
  getParentRoute: () => collection,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/collections/$name/records', params, replace: true });
  },
});

const records = createRoute({
  getParentRoute: () => collection,
  path: 'records',
  validateSearch: recordsSearch,
  component: lazyRouteComponent(() => import('@/features/records/RecordsTab'), 'RecordsTab'),
});

const newRecord = createRoute({
  getParentRoute: () => records,
  path: 'new',
  component: lazyRouteComponent(() => import('@/features/records/RecordDrawer'), 'NewRecordDrawer'),
});

const record = createRoute({
  getParentRoute: () => records,
  path: '$id',
  validateSearch: recordSearch,
  component: lazyRouteComponent(() => import('@/features/records/RecordDrawer'), 'RecordDrawer'),
});

const fields = createRoute({
  getParentRoute: () => collection,
  path: 'fields',
  component: lazyRouteComponent(() => import('@/features/collections/FieldsTab'), 'FieldsTab'),
});

const rules = createRoute({
  getParentRoute: () => collection,
  path: 'rules',
  component: lazyRouteComponent(() => import('@/features/rules/RulesTab'), 'RulesTab'),
});

const apiDocs = createRoute({
  getParentRoute: () => collection,
  path: 'api',
  validateSearch: apiSearch,
  component: lazyRouteComponent(() => import('@/features/api-docs/ApiTab'), 'ApiTab'),
});

const settings = createRoute({
  getParentRoute: () => collection,
  path: 'settings',
  component: lazyRouteComponent(() => import('@/features/collections/SettingsTab'), 'SettingsTab'),
});

const board = createRoute({
  getParentRoute: () => collection,
  path: 'board',
  component: lazyRouteComponent(() => import('@/features/sample/board/BoardTab'), 'BoardTab'),
});

const macros = createRoute({
  getParentRoute: () => app,
  path: '/macros',
  component: lazyRouteComponent(() => import('@/features/macros/MacrosPage'), 'MacrosPage'),
});

/** An address that leads nowhere keeps the frame around it. */
const nowhere = createRoute({ getParentRoute: () => app, path: '$', component: NowherePage });

export const router = createRouter({
  basepath: '/admin',
  routeTree: root.addChildren([
    login,
    setup,
    app.addChildren([
      overview,
      collections,
      newCollection,
      map,
      access,
      collection.addChildren([collectionIndex, records.addChildren([newRecord, record]), fields, rules, apiDocs, settings, board]),
      macros,
      nowhere,
      ...realtimeRoutes,
      ...peopleRoutes,
      ...operationRoutes,
    ]),
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: CrashPage,
  defaultNotFoundComponent: NotFoundPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
