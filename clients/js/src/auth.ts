import { type Account, type Session, type SessionStorage, type TokenResponse, type User, isFresh, renewalMargin, sessionOf } from './auth/session.js';
import { SessionStore } from './auth/store.js';
import { SnackBaseError } from './errors.js';
import type { Credentials, Http } from './http.js';
import { delay, onWake } from './wake.js';

/**
 * `restored`: a kept session was found at the start. `changed`: the user's data changed. `expired`: the server refused to
 * go on with the session; told once, sign in again.
 */
export type AuthEvent = 'restored' | 'signed-in' | 'signed-out' | 'expired' | 'changed';

export type AuthListener = (user: User | null, event: AuthEvent) => void;

export interface SignIn {
  /** Slug, code or id; not needed where the server has a single account. */
  account?: string;
  email: string;
  password: string;
}

export interface SignUp {
  email: string;
  password: string;
  /** Name of the account that is made; not needed where the server has a single account. */
  account_name?: string;
  account_slug?: string;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const REFRESH_TIMEOUT_MS = 10_000;
/** Statuses with which the server refuses a refresh token; a proxy has others. */
const REFUSALS = [401, 422];
/** The longest delay that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Signs in, and keeps the session alive: before its access token ends, at the start, on wake and after a 401. */
export class Auth implements Credentials {
  /** Resolves when a kept session has been looked for. */
  readonly ready: Promise<void>;

  #session: Session | null = null;
  #refreshing: Promise<Session | null> | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<AuthListener>();
  readonly #tokenListeners = new Set<() => void>();
  readonly #store: SessionStore;
  readonly #stopWake: () => void;

  /** @internal */
  constructor(
    private readonly http: Http,
    storage: SessionStorage | null | undefined,
    private readonly apiKey: string | undefined,
  ) {
    this.#store = new SessionStore(http.url, apiKey ? null : storage, ({ session, event }) => {
      this.#adopt(session, event ?? 'signed-in');
    });
    this.#stopWake = onWake(() => this.#keepFresh());
    this.ready = this.#restore();
  }

  /** Who is signed in; null if nobody is, and for API keys. */
  get user(): User | null {
    return this.#session?.user ?? null;
  }

  get account(): Account | null {
    return this.#session?.account ?? null;
  }

  /** @throws SnackBaseError with status 401 for wrong credentials. */
  async signIn(credentials: SignIn): Promise<User> {
    type Response = TokenResponse & { user: User; account: Account };
    const response = await this.http.send<Response>('POST', 'auth/login', { body: credentials });
    return this.#begin(sessionOf(response, response.user, response.account));
  }

  /**
   * Registers and signs in. Returns null if the server wants the address confirmed first: a mail was sent.
   *
   * @throws SnackBaseError whose `errors` name the fields that were refused.
   */
  async signUp(registration: SignUp): Promise<User | null> {
    const { email, password } = registration;
    const response = await this.http.send<{ account: Account }>('POST', 'auth/register', { body: registration });
    try {
      return await this.signIn({ account: response.account.slug, email, password });
    } catch (error) {
      if (error instanceof SnackBaseError && error.status === 401) return null;
      throw error;
    }
  }

  /** Ends the session here, in the other tabs, and on the server if it can be reached. */
  async signOut(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    this.#adopt(null, 'signed-out');
    await this.#store.save(null, 'signed-out');
    const body = { refresh_token: session.refreshToken };
    await this.http.send('POST', 'auth/logout', { body }).catch(() => undefined);
  }

  /** Fetches fresh tokens and the user's data, for instance after the user's role has changed. */
  async refresh(): Promise<User | null> {
    if (this.#session) await this.#renew(this.#session.token);
    const me = await this.http.send<{ user: User; account: Account }>('GET', 'auth/me', {}, this);
    if (this.#session) {
      this.#session = { ...this.#session, user: me.user, account: me.account };
      await this.#store.save(this.#session);
      this.#tell('changed');
    }
    return this.user;
  }

  /** Calls `listener` after each change. Returns how to stop that. */
  onChange(listener: AuthListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Yields an access token that is good for now, or null when nobody is signed in. */
  async token(): Promise<string | null> {
    if (this.apiKey) return this.apiKey;
    await this.ready;
    const session = this.#session;
    if (!session || isFresh(session)) return session?.token ?? null;
    try {
      return (await this.#renew(session.token))?.token ?? null;
    } catch (error) {
      // The token may still be good for some seconds.
      if (Date.now() < session.expiresAt) return session.token;
      throw error;
    }
  }

  /** @internal */
  async replace(token: string): Promise<string | null> {
    if (this.apiKey) return null;
    return (await this.#renew(token))?.token ?? null;
  }

  /** @internal */
  get usesApiKey(): boolean {
    return this.apiKey !== undefined;
  }

  /** @internal Calls `listener` when there is another token. */
  onToken(listener: () => void): void {
    this.#tokenListeners.add(listener);
  }

  /** @internal */
  close(): void {
    clearTimeout(this.#timer);
    this.#stopWake();
    this.#store.close();
    this.#listeners.clear();
  }

  async #restore(): Promise<void> {
    if (this.apiKey) return;
    const session = await this.#store.load();
    if (!session || this.#session) return;
    this.#adopt(session, 'restored');
    this.#keepFresh();
  }

  async #begin(session: Session): Promise<User> {
    this.#adopt(session, 'signed-in');
    await this.#store.save(session);
    return session.user;
  }

  /** Takes over a session of this tab or another one; the newest tokens win. */
  #adopt(session: Session | null, event: AuthEvent): void {
    const before = this.#session;
    if (session && before && session.user.id === before.user.id && session.issuedAt < before.issuedAt) return;
    this.#session = session;
    if (before?.token !== session?.token) this.#failures = 0;
    this.#schedule();
    if (before?.user.id !== session?.user.id) this.#tell(event);
    if (before?.token !== session?.token) for (const listener of this.#tokenListeners) listener();
  }

  #tell(event: AuthEvent): void {
    for (const listener of [...this.#listeners]) listener(this.user, event);
  }

  /** Exchanges the refresh token, unless `stale` has been replaced already. Rejects if the server cannot be asked. */
  #renew(stale: string): Promise<Session | null> {
    this.#refreshing ??= this.#store.exclusive(() => this.#exchange(stale)).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #exchange(stale: string): Promise<Session | null> {
    const stored = await this.#store.load();
    if (stored && this.#session) this.#adopt(stored, 'signed-in');
    const session = this.#session;
    if (!session || (session.token !== stale && isFresh(session))) return session;
    // Somebody may sign out, or in as another user, before the response.
    const isCurrent = () => this.#session?.refreshToken === session.refreshToken;
    try {
      const body = { refresh_token: session.refreshToken };
      const response = await this.http.send<TokenResponse>('POST', 'auth/refresh', { body, timeout: REFRESH_TIMEOUT_MS });
      if (!isCurrent()) return this.#session;
      const { user, account } = this.#session ?? session;
      const next = sessionOf(response, user, account);
      this.#adopt(next, 'signed-in');
      await this.#store.save(next);
      return next;
    } catch (error) {
      if (!isCurrent()) return this.#session;
      if (error instanceof SnackBaseError && REFUSALS.includes(error.status)) {
        // Without locks, another tab may have been faster.
        const newest = await this.#store.load();
        if (newest && newest.issuedAt > session.issuedAt) {
          this.#adopt(newest, 'signed-in');
          return newest;
        }
        this.#adopt(null, 'expired');
        await this.#store.save(null, 'expired');
        return null;
      }
      this.#failures += 1;
      this.#schedule();
      throw error;
    }
  }

  #keepFresh(): void {
    const session = this.#session;
    if (!session) return;
    if (isFresh(session)) this.#schedule();
    else this.#renew(session.token).catch(() => undefined);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const session = this.#session;
    if (!session) return;
    const retry = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    const due = session.expiresAt - renewalMargin(session) - Date.now();
    const wait = this.#failures > 0 ? retry : Math.max(0, due);
    this.#timer = delay(Math.min(wait, MAX_TIMER_MS), () => this.#keepFresh());
  }
}
