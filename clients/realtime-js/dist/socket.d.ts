import type { Frame } from './protocol.js';
/** Yields a valid access token, or null when nobody is signed in. It is asked before each connection. */
export type TokenSource = () => string | null | Promise<string | null>;
/** The part of the browser's WebSocket that is used; the `ws` package has it, too. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocket;
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
interface Handlers {
    opened(): void;
    received(frame: Frame): void;
    lost(): void;
    changed(state: ConnectionState): void;
}
export declare class Socket {
    #private;
    private readonly url;
    private readonly source;
    private readonly WebSocketClass;
    private readonly handlers;
    constructor(url: string, source: TokenSource, WebSocketClass: WebSocketClass, handlers: Handlers);
    get state(): ConnectionState;
    /** Connects unless that is done or under way. */
    open(): void;
    /** Sends if the line is open. Whoever must be heard after a break says it again when `opened` is called. */
    send(message: object): void;
    /** Asks for a token now and hands it to the server without a new connection. */
    renew(): Promise<void>;
    close(): void;
}
export {};
