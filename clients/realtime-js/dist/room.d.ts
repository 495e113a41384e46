import type { Frame } from './protocol.js';
import { RealtimeError } from './protocol.js';
/** Somebody who is in a room, by connection: one user with two tabs is there twice. */
export interface Member {
    conn: string;
    user: string;
    /** What the member says of itself. */
    meta: unknown;
    since: string;
}
export interface RoomMessage {
    event: string;
    data: unknown;
    /** The connection that said it; absent if the server did. */
    from?: string;
}
export interface RoomHandlers {
    message?(message: RoomMessage): void;
    /** Who is there, after each change. */
    members?(members: readonly Member[]): void;
    /** This many messages were skipped, because they were read too slowly. */
    missed?(count: number): void;
    /** The server refused to let us in, or made us leave. */
    error?(error: RealtimeError): void;
}
export interface RoomOptions extends RoomHandlers {
    /** What the others are to know of us. */
    presence?: unknown;
    /** Past messages that are wanted, at most. */
    history?: number;
}
interface RoomLine {
    send(message: object): void;
    /** Sends with a `ref` of its own and waits for the answer. */
    ask(message: object): Promise<void>;
    leave(room: string): void;
}
export declare class Room {
    #private;
    private readonly line;
    readonly name: string;
    private readonly options;
    /** @internal */
    constructor(line: RoomLine, name: string, options: RoomOptions);
    get members(): readonly Member[];
    /** Says something to everybody in the room; resolves when the server has taken it. */
    publish(event: string, data: unknown): Promise<void>;
    /** Changes what the others know of us. */
    update(presence: unknown): void;
    leave(): void;
    /** @internal */
    join(): void;
    /** @internal */
    receive(frame: Frame): void;
}
export {};
