/** Who is signed in. */
export interface User {
  id: string;
  email: string;
  role: string;
  account_id: string;
  groups: string[];
  is_active: boolean;
  email_verified: boolean;
  created_at: string;
  last_login: string | null;
}

/** The tenant that the user belongs to. */
export interface Account {
  id: string;
  slug: string;
  name: string;
  [key: string]: unknown;
}

/** What is kept between two visits. Times are milliseconds of this machine's clock. */
export interface Session {
  token: string;
  refreshToken: string;
  /** When the tokens were issued. */
  issuedAt: number;
  /** When the access token ends. */
  expiresAt: number;
  user: User;
  account: Account;
}

/** The part of `localStorage` that is used; its functions may also be asynchronous. */
export interface SessionStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/** The response to a sign-in or a refresh. */
export interface TokenResponse {
  token: string;
  refresh_token: string;
  expires_in: number;
}

export function sessionOf(response: TokenResponse, user: User, account: Account): Session {
  const issuedAt = Date.now();
  return {
    token: response.token,
    refreshToken: response.refresh_token,
    issuedAt,
    expiresAt: issuedAt + response.expires_in * 1_000,
    user,
    account,
  };
}

/**
 * Milliseconds before the end of an access token from which on it is not used: a minute at most. Servers write the end
 * in whole seconds, so a token may be good for a second less than announced.
 */
export function renewalMargin(session: Session): number {
  const life = session.expiresAt - session.issuedAt;
  return Math.min(60_000, 1_000 + life / 5, life / 2);
}

export function isFresh(session: Session): boolean {
  return Date.now() < session.expiresAt - renewalMargin(session);
}
