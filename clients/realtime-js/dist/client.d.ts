import { LiveQuery, type LiveQueryOptions } from './live-query.js';
import type { SubscribeOptions, SystemFields } from './protocol.js';
import { Room, type RoomOptions } from './room.js';
import { type ConnectionState, type TokenSource, type WebSocketClass } from './socket.js';
import { Subscription, type SubscriptionHandlers } from './subscription.js';
export interface RealtimeClientOptions {
    /** Where the server is, as in `https://api.example.com`. */
    url: string;
    /** Yields a valid access token. With the SDK: `() => sdk.getAccessToken()` or whatever keeps yours fresh. */
    token: TokenSource;
    /** For Node before version 22: the class of the `ws` package. */
    WebSocket?: WebSocketClass;
    /** Told of each change of the connection. */
    onState?: (state: ConnectionState) => void;
}
export declare class RealtimeClient {
    #private;
    constructor(options: RealtimeClientOptions);
    /** How the connection is. */
    get state(): ConnectionState;
    /** Tells of changes of a collection, or of one record. */
    subscribe<T = SystemFields & Record<string, unknown>>(collection: string, options: SubscribeOptions, handlers: SubscriptionHandlers<T>): Subscription<T>;
    /** Keeps an array of the records that fit, in order. */
    liveQuery<T extends {
        id: string;
    } = SystemFields & Record<string, unknown>>(collection: string, options?: LiveQueryOptions): LiveQuery<T>;
    /** Enters a room. Entering it again replaces the handlers. */
    room(name: string, options?: RoomOptions): Room;
    /** Hands a fresh token to the server, for instance after the user's roles have changed. */
    renew(): Promise<void>;
    /** Ends everything; the client cannot be used again. */
    close(): void;
}
