import type { Frame, RecordEvent, ResyncReason, SubscribeOptions } from './protocol.js';
import { RealtimeError } from './protocol.js';
/** What happens to a subscription. Each one is optional. */
export interface SubscriptionHandlers<T> {
    event?(event: RecordEvent<T>): void;
    /** A snapshot begins, maybe anew: what came of it before is to be forgotten. */
    begin?(): void;
    /** Records of the snapshot; called once for each page. */
    snapshot?(items: T[]): void;
    /** The snapshot is complete, or what was missed has been replayed: from here on, events are live. */
    live?(): void;
    /** What was received so far is to be forgotten, and fetched anew. Events go on from now. */
    resync?(reason: ResyncReason): void;
    /** The server refused the subscription. */
    error?(error: RealtimeError): void;
}
/** The subscription's way to the server. */
export interface Line {
    send(message: object): void;
    forget(ref: string): void;
}
export declare class Subscription<T> {
    #private;
    private readonly line;
    private readonly ref;
    readonly collection: string;
    private readonly options;
    private readonly handlers;
    /** @internal */
    constructor(line: Line, ref: string, collection: string, options: SubscribeOptions, handlers: SubscriptionHandlers<T>);
    /** The last position that was received; kept somewhere, it can be given as `since` after a reload. */
    get cursor(): string | undefined;
    unsubscribe(): void;
    /** Begins anew, with a snapshot if there was one. */
    restart(): void;
    /** @internal Says to the server what is wanted; again after each break. */
    start(): void;
    /** @internal */
    receive(frame: Frame): void;
    /** @internal The log went on, and nothing in it was for this subscription. */
    passed(cursor: string): void;
}
