// A room: messages and presence that are not data. What is said while the line is down is lost.

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

export class Room {
  readonly #members = new Map<string, Member>();
  #presence: unknown;

  /** @internal */
  constructor(
    private readonly line: RoomLine,
    readonly name: string,
    private readonly options: RoomOptions,
  ) {
    this.#presence = options.presence;
    this.join();
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  /** Says something to everybody in the room; resolves when the server has taken it. */
  publish(event: string, data: unknown): Promise<void> {
    return this.line.ask({ action: 'publish', room: this.name, event, data });
  }

  /** Changes what the others know of us. */
  update(presence: unknown): void {
    this.#presence = presence;
    this.join();
  }

  leave(): void {
    this.line.send({ action: 'leave', room: this.name });
    this.line.leave(this.name);
  }

  /** @internal */
  join(): void {
    this.line.send({ action: 'join', room: this.name, presence: this.#presence, history: this.options.history });
  }

  /** @internal */
  receive(frame: Frame): void {
    switch (frame.type) {
      case 'room.state':
        this.#members.clear();
        this.#put(frame.members);
        for (const message of list<RoomMessage>(frame.messages)) this.options.message?.(message);
        break;
      case 'room.diff':
        for (const member of list<Member>(frame.leaves)) this.#members.delete(member.conn);
        this.#put(frame.joins);
        this.#put(frame.updates);
        break;
      case 'room.message':
        this.options.message?.(frame as unknown as RoomMessage);
        return;
      case 'room.missed':
        this.options.missed?.(Number(frame.count));
        return;
      case undefined:
        this.options.error?.(RealtimeError.of(frame));
        return;
    }
    this.options.members?.(this.members);
  }

  #put(members: unknown): void {
    for (const member of list<Member>(members)) this.#members.set(member.conn, member);
  }
}

function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
