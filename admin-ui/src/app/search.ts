/** What each page keeps in the address: unknown or malformed values fall back instead of failing. */

type Raw = Record<string, unknown>;

function text(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function page(value: unknown): number | undefined {
  const number = Number(value);
  return Number.isInteger(number) && number > 1 ? number : undefined;
}

/** Absent keys stay out of the address altogether. */
function compact<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

/** The account that all pages are narrowed to; absent for all accounts. */
export interface AppSearch { account?: string }
export function appSearch(raw: Raw): AppSearch {
  return compact({ account: text(raw.account) });
}

/** How far back the charts of the overview look: minutes for requests, days for what people did. */
export interface OverviewSearch { minutes?: 360 | 1440; days?: '30d' | '90d' }
export function overviewSearch(raw: Raw): OverviewSearch {
  const minutes = Number(raw.minutes);
  return compact({
    minutes: minutes === 360 || minutes === 1440 ? minutes : undefined,
    days: raw.days === '30d' || raw.days === '90d' ? raw.days : undefined,
  });
}

export interface CollectionsSearch { page?: number; search?: string; sort?: string }
export function collectionsSearch(raw: Raw): CollectionsSearch {
  return compact({ page: page(raw.page), search: text(raw.search), sort: text(raw.sort) });
}

export interface AccessSearch { role?: string }
export function accessSearch(raw: Raw): AccessSearch {
  return compact({ role: text(raw.role) });
}

export interface NewCollectionSearch { from?: string }
export function newCollectionSearch(raw: Raw): NewCollectionSearch {
  return compact({ from: text(raw.from) });
}

export interface RecordsSearch { sort?: string; filter?: string; q?: string }
export function recordsSearch(raw: Raw): RecordsSearch {
  return compact({ sort: text(raw.sort), filter: text(raw.filter), q: text(raw.q) });
}

export type RecordView = 'json' | 'history';
export interface RecordSearch { view?: RecordView }
export function recordSearch(raw: Raw): RecordSearch {
  return compact({ view: raw.view === 'json' || raw.view === 'history' ? raw.view : undefined });
}

export interface ApiSearch { op?: string }
export function apiSearch(raw: Raw): ApiSearch {
  return compact({ op: text(raw.op) });
}

export interface LiveSearch { collections?: string; operations?: string; text?: string }
export function liveSearch(raw: Raw): LiveSearch {
  return compact({ collections: text(raw.collections), operations: text(raw.operations), text: text(raw.text) });
}

export interface ConnectionsSearch { user?: string; protocol?: string }
export function connectionsSearch(raw: Raw): ConnectionsSearch {
  return compact({ user: text(raw.user), protocol: text(raw.protocol) });
}

/** A subscription; `as` is the user whose rights it has, `via` how it connects. */
export interface PlaygroundSearch {
  collection?: string;
  operations?: string;
  filter?: string;
  record?: string;
  fields?: string;
  expand?: string;
  old?: boolean;
  since?: string;
  snapshot?: boolean;
  sort?: string;
  limit?: number;
  ref?: string;
  as?: string;
  via?: 'sse';
}
export function playgroundSearch(raw: Raw): PlaygroundSearch {
  const limit = Number(raw.limit);
  return compact({
    collection: text(raw.collection),
    operations: text(raw.operations),
    filter: text(raw.filter),
    record: text(raw.record),
    fields: text(raw.fields),
    expand: text(raw.expand),
    old: raw.old === true || undefined,
    since: text(raw.since),
    snapshot: raw.snapshot === true || undefined,
    sort: text(raw.sort),
    limit: Number.isInteger(limit) && limit > 0 ? limit : undefined,
    ref: text(raw.ref),
    as: text(raw.as),
    via: raw.via === 'sse' ? ('sse' as const) : undefined,
  });
}

export interface LoginSearch { next?: string }
export function loginSearch(raw: Raw): LoginSearch {
  return compact({ next: text(raw.next) });
}

export interface SetupSearch { token?: string }
export function setupSearch(raw: Raw): SetupSearch {
  return compact({ token: text(raw.token) });
}

export interface ListSearch { page?: number; search?: string; sort?: string }
export const listSearch: (raw: Raw) => ListSearch = collectionsSearch;

export interface UsersSearch extends ListSearch { role?: number; active?: 'yes' | 'no' }
export function usersSearch(raw: Raw): UsersSearch {
  const role = Number(raw.role);
  return compact({
    ...listSearch(raw),
    role: Number.isInteger(role) && role > 0 ? role : undefined,
    active: raw.active === 'yes' || raw.active === 'no' ? raw.active : undefined,
  });
}

const STATES = ['pending', 'accepted', 'expired'] as const;
export interface InvitationsSearch { page?: number; status?: (typeof STATES)[number] }
export function invitationsSearch(raw: Raw): InvitationsSearch {
  return compact({ page: page(raw.page), status: STATES.find((state) => state === raw.status) });
}

/** `ui` includes the requests of the admin UI itself. */
export interface RequestsSearch { method?: string; status?: string; path?: string; slow?: number; ui?: boolean }
export function requestsSearch(raw: Raw): RequestsSearch {
  const slow = Number(raw.slow);
  return compact({ method: text(raw.method), status: text(raw.status), path: text(raw.path), slow: slow > 0 ? Math.round(slow) : undefined, ui: raw.ui === true || undefined });
}

export interface SettingsSearch { search?: string; changed?: boolean }
export function settingsSearch(raw: Raw): SettingsSearch {
  return compact({ search: text(raw.search), changed: raw.changed === true || undefined });
}

/** `entry` is the one that is folded out. */
export interface AuditSearch { operation?: string; table?: string; record?: string; user?: string; from?: string; to?: string; entry?: number }
export function auditSearch(raw: Raw): AuditSearch {
  const entry = Number(raw.entry);
  return compact({
    operation: text(raw.operation),
    table: text(raw.table),
    record: text(raw.record),
    user: text(raw.user),
    entry: Number.isInteger(entry) && entry > 0 ? entry : undefined,
    from: text(raw.from),
    to: text(raw.to),
  });
}
