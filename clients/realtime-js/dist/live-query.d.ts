import type { SubscribeOptions } from './protocol.js';
import type { Subscription, SubscriptionHandlers } from './subscription.js';
export interface LiveQueryOptions {
    /** In the language of REST filters. */
    filter?: string;
    /** As in REST; `-created_at` if it is left out. */
    sort?: string;
    /** Only these fields, and the system's. Name those of `sort`, too. */
    fields?: string[];
    expand?: string[];
    /** Superadmins only: an account by id, code or slug, or `*`. */
    account?: string;
}
type Listener<T> = (items: readonly T[]) => void;
type Subscribe<T> = (options: SubscribeOptions, handlers: SubscriptionHandlers<T>) => Subscription<T>;
export declare class LiveQuery<T extends {
    id: string;
}> {
    #private;
    /** Resolves when the records are there for the first time; rejects if the query is refused. */
    readonly ready: Promise<readonly T[]>;
    /** @internal */
    constructor(subscribe: Subscribe<T>, options: LiveQueryOptions);
    /** The records, in order. A new array after each change, so that it may be compared by identity. */
    get items(): readonly T[];
    /** Calls `listener` now and after each change. Returns how to stop that. */
    subscribe(listener: Listener<T>): () => void;
    close(): void;
}
export {};
