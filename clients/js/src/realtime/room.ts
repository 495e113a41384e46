import { SnackBaseError } from '../errors.js';
import type { Frame } from './frames.js';

/** A connection in a room: one user with two tabs is there twice. */
export interface Member {
  conn: string;
  user: string;
  /** The member's presence. */
  meta: unknown;
  since: string;
}

export interface RoomMessage {
  event: string;
  data: unknown;
  /** The sender's connection; null if it was published over HTTP or by the server. */
  from: string | null;
  /** The sender; null if it was the server. */
  user: string | null;
  timestamp: string;
}

export interface RoomHandlers {
  message?(message: RoomMessage): void;
  /** The members, after each change. */
  members?(members: readonly Member[]): void;
  /** This many messages were skipped because they were read too slowly. */
  missed?(count: number): void;
  /** The room was refused, or the server made us leave. */
  error?(error: SnackBaseError): void;
}

export interface RoomOptions extends RoomHandlers {
  /** What the other members see of us. */
  presence?: unknown;
  /** Upper limit of past messages to get when the room is entered. */
  history?: number;
}

interface RoomChannel {
  send(message: object): void;
  /** Sends with a `ref` of its own and waits for the response. */
  request(message: object): Promise<void>;
  forget(): void;
}

/** Messages and presence that are not data. Messages that are sent while the connection is down are lost. */
export class Room {
  readonly #members = new Map<string, Member>();
  #presence: unknown;
  #entered = false;

  /** @internal */
  constructor(
    private readonly channel: RoomChannel,
    readonly name: string,
    private readonly options: RoomOptions,
  ) {
    this.#presence = options.presence;
    this.join();
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  /** Sends a message to all members; resolves when the server has accepted it. */
  publish(event: string, data: unknown): Promise<void> {
    return this.channel.request({ action: 'publish', room: this.name, event, data });
  }

  /** Changes our presence. */
  update(presence: unknown): void {
    this.#presence = presence;
    this.channel.send({ action: 'presence', room: this.name, presence });
  }

  leave(): void {
    this.channel.send({ action: 'leave', room: this.name });
    this.channel.forget();
  }

  /** @internal */
  join(): void {
    // Past messages are wanted once, not after every break.
    const history = this.#entered ? undefined : this.options.history;
    this.channel.send({ action: 'join', room: this.name, presence: this.#presence, history });
  }

  /** @internal */
  receive(frame: Frame): void {
    switch (frame.type) {
      case 'room.state':
        this.#entered = true;
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
      case 'room.lost':
        this.options.missed?.(Number(frame.count));
        return;
      case 'room.left':
        this.fail(new SnackBaseError('the server made us leave the room', { code: String(frame.reason) }));
        return;
      case undefined:
        this.options.error?.(SnackBaseError.fromFrame(frame));
        return;
      default:
        return;
    }
    this.options.members?.(this.members);
  }

  /** @internal Ends the room: joining again makes no sense. */
  fail(error: SnackBaseError): void {
    this.channel.forget();
    this.#members.clear();
    this.options.members?.([]);
    this.options.error?.(error);
  }

  #put(members: unknown): void {
    for (const member of list<Member>(members)) this.#members.set(member.conn, member);
  }
}

function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
