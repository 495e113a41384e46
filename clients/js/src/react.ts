import { createContext, createElement, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { ReactElement, ReactNode } from 'react';

import type { User } from './auth/session.js';
import type { SnackBase } from './client.js';
import type { SnackBaseError } from './errors.js';
import type { SystemFields } from './realtime/frames.js';
import type { LiveQuery, LiveQueryOptions } from './realtime/live-query.js';
import type { Member, Room, RoomMessage } from './realtime/room.js';
import type { ConnectionState } from './realtime/socket.js';

// The hooks do not depend on the record types of a client.
type AnyClient = SnackBase<never, never>;

const Context = createContext<AnyClient | null>(null);

/** Makes a client available to the hooks below it. */
export function SnackBaseProvider<R extends { [K in keyof R]: { id: string } }, I>(
  { client, children }: { client: SnackBase<R, I>; children?: ReactNode },
): ReactElement {
  return createElement(Context.Provider, { value: client as unknown as AnyClient }, children);
}

/** The client of the provider above. */
export function useSnackBase(): SnackBase {
  const client = useContext(Context);
  if (!client) throw new Error('there is no SnackBaseProvider above this component');
  return client as unknown as SnackBase;
}

/** Who is signed in; undefined until a kept session has been looked for. */
export function useUser(): User | null | undefined {
  const { auth } = useSnackBase();
  const [isReady, setIsReady] = useState(false);
  useEffect(() => void auth.ready.then(() => setIsReady(true)), [auth]);
  const user = useSyncExternalStore((changed) => auth.onChange(changed), () => auth.user, () => null);
  return user ?? (isReady ? null : undefined);
}

/** How the realtime connection is. */
export function useConnection(): ConnectionState {
  const { realtime } = useSnackBase();
  return useSyncExternalStore((changed) => realtime.onState(changed), () => realtime.state, () => 'idle');
}

export interface LiveResult<T> {
  items: readonly T[];
  /** Whether the items are those of the server at this moment. */
  isLive: boolean;
  hasMore: boolean;
  error: SnackBaseError | undefined;
}

const NOTHING: LiveResult<never> = { items: [], isLive: false, hasMore: false, error: undefined };

/** The records that fit, kept up to date. Options with the same content are the same query, null pauses it. */
export function useLiveQuery<T extends { id: string } = SystemFields & Record<string, unknown>>(
  collection: string,
  options: LiveQueryOptions | null = {},
): LiveResult<T> {
  const client = useSnackBase();
  const key = JSON.stringify(options);
  const store = useMemo(() => {
    let result: LiveResult<T> = NOTHING;
    const wanted = JSON.parse(key) as LiveQueryOptions | null;
    return {
      get: () => result,
      subscribe(changed: () => void) {
        if (!wanted) return () => undefined;
        const query = client.collection(collection).live(wanted) as unknown as LiveQuery<T>;
        query.subscribe((items) => {
          const { isLive, hasMore, error } = query;
          result = { items, isLive, hasMore, error };
          changed();
        });
        return () => query.close();
      },
    };
  }, [client, collection, key]);
  return useSyncExternalStore(store.subscribe, store.get, () => NOTHING);
}

export interface RoomResult {
  members: readonly Member[];
  error: SnackBaseError | undefined;
  /** Rejects while the room is not entered. */
  publish(event: string, data: unknown): Promise<void>;
}

/** Is in a room while the component is mounted. `message` may be another function at each rendering. */
export function useRoom(
  name: string,
  { presence, message }: { presence?: unknown; message?: (message: RoomMessage) => void } = {},
): RoomResult {
  const client = useSnackBase();
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [error, setError] = useState<SnackBaseError>();
  const room = useRef<Room>(null);
  const listener = useRef(message);
  useEffect(() => {
    listener.current = message;
  });
  const key = JSON.stringify(presence);
  const shown = useRef(key);
  useEffect(() => {
    setError(undefined);
    const handlers = { members: setMembers, error: setError, message: (each: RoomMessage) => listener.current?.(each) };
    const current = shown.current === undefined ? undefined : (JSON.parse(shown.current) as unknown);
    const entered = client.room(name, { ...handlers, presence: current });
    room.current = entered;
    return () => {
      room.current = null;
      entered.leave();
      setMembers([]);
    };
  }, [client, name]);
  useEffect(() => {
    if (shown.current === key) return;
    shown.current = key;
    room.current?.update(key === undefined ? undefined : JSON.parse(key));
  }, [key]);
  const publish = (event: string, data: unknown) => {
    return room.current ? room.current.publish(event, data) : Promise.reject(new Error('the room is not entered'));
  };
  return { members, error, publish };
}
