import type { Session, SessionStorage } from './session.js';

/** A message between the tabs of one origin. */
interface TabMessage {
  session: Session | null;
  /** Why there is no session. */
  event?: 'signed-out' | 'expired';
}

const LOCK_TIMEOUT_MS = 10_000;

/**
 * Keeps the session, in `localStorage` by default, and shares it with the other tabs. Outside a page it is kept in
 * memory, unless a storage is given.
 */
export class SessionStore {
  readonly #key: string;
  readonly #storage: SessionStorage | undefined;
  readonly #channel: BroadcastChannel | undefined;

  constructor(url: string, storage: SessionStorage | null | undefined, changed: (message: TabMessage) => void) {
    this.#key = `snackbase:${url}`;
    this.#storage = storage === undefined ? pageStorage() : (storage ?? undefined);
    if (this.#storage && this.#storage === pageStorage() && globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.#key);
      this.#channel.onmessage = ({ data }) => changed(data as TabMessage);
    }
  }

  async load(): Promise<Session | null> {
    try {
      const text = await this.#storage?.getItem(this.#key);
      return text ? (JSON.parse(text) as Session) : null;
    } catch {
      return null;
    }
  }

  async save(session: Session | null, event?: TabMessage['event']): Promise<void> {
    // The message carries the session: another tab may see an older value in its storage for a moment.
    this.#channel?.postMessage({ session, ...(event && { event }) });
    try {
      if (session) await this.#storage?.setItem(this.#key, JSON.stringify(session));
      else await this.#storage?.removeItem(this.#key);
    } catch {
      // A full or forbidden storage: the session lasts as long as the page.
    }
  }

  /** Runs `action` in one tab at a time where the browser has locks; where it has none, the server copes. */
  async exclusive<T>(action: () => Promise<T>): Promise<T> {
    const locks = this.#channel && globalThis.navigator?.locks;
    if (!locks) return action();
    let isRunning = false;
    const run = () => {
      isRunning = true;
      return action();
    };
    try {
      return await (locks.request(this.#key, { signal: AbortSignal.timeout(LOCK_TIMEOUT_MS) }, run) as Promise<T>);
    } catch (error) {
      // A tab that sleeps while it holds the lock must not keep the others out.
      if (isRunning) throw error;
      return action();
    }
  }

  close(): void {
    this.#channel?.close();
  }
}

/** `localStorage` of a page; elsewhere, a session would end up in a file that nobody expects. */
function pageStorage(): SessionStorage | undefined {
  try {
    return typeof document === 'undefined' ? undefined : globalThis.localStorage;
  } catch {
    return undefined;
  }
}
