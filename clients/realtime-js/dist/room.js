// A room: messages and presence that are not data. What is said while the line is down is lost.
import { RealtimeError } from './protocol.js';
export class Room {
    line;
    name;
    options;
    #members = new Map();
    #presence;
    /** @internal */
    constructor(line, name, options) {
        this.line = line;
        this.name = name;
        this.options = options;
        this.#presence = options.presence;
        this.join();
    }
    get members() {
        return [...this.#members.values()];
    }
    /** Says something to everybody in the room; resolves when the server has taken it. */
    publish(event, data) {
        return this.line.ask({ action: 'publish', room: this.name, event, data });
    }
    /** Changes what the others know of us. */
    update(presence) {
        this.#presence = presence;
        this.join();
    }
    leave() {
        this.line.send({ action: 'leave', room: this.name });
        this.line.leave(this.name);
    }
    /** @internal */
    join() {
        this.line.send({ action: 'join', room: this.name, presence: this.#presence, history: this.options.history });
    }
    /** @internal */
    receive(frame) {
        switch (frame.type) {
            case 'room.state':
                this.#members.clear();
                this.#put(frame.members);
                for (const message of list(frame.messages))
                    this.options.message?.(message);
                break;
            case 'room.diff':
                for (const member of list(frame.leaves))
                    this.#members.delete(member.conn);
                this.#put(frame.joins);
                this.#put(frame.updates);
                break;
            case 'room.message':
                this.options.message?.(frame);
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
    #put(members) {
        for (const member of list(members))
            this.#members.set(member.conn, member);
    }
}
function list(value) {
    return Array.isArray(value) ? value : [];
}
