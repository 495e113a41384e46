// A room: messages and presence that are not data. What is said while the line is down is lost.
import { RealtimeError } from './protocol.js';
export class Room {
    line;
    name;
    options;
    #members = new Map();
    #presence;
    #entered = false;
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
        this.line.send({ action: 'presence', room: this.name, presence });
    }
    leave() {
        this.line.send({ action: 'leave', room: this.name });
        this.line.leave(this.name);
    }
    /** @internal */
    join() {
        // What was said before is told once, not after every break.
        const history = this.#entered ? undefined : this.options.history;
        this.line.send({ action: 'join', room: this.name, presence: this.#presence, history });
    }
    /** @internal */
    receive(frame) {
        switch (frame.type) {
            case 'room.state':
                this.#entered = true;
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
            case 'room.lost':
                this.options.missed?.(Number(frame.count));
                return;
            case 'room.left':
                this.#end(new RealtimeError('the server made us leave the room', String(frame.reason)));
                return;
            case undefined:
                this.options.error?.(RealtimeError.of(frame));
                return;
            default:
                return;
        }
        this.options.members?.(this.members);
    }
    /** The rules do not let us in any more: it makes no sense to come back. */
    #end(error) {
        this.line.leave(this.name);
        this.#members.clear();
        this.options.members?.([]);
        this.options.error?.(error);
    }
    #put(members) {
        for (const member of list(members))
            this.#members.set(member.conn, member);
    }
}
function list(value) {
    return Array.isArray(value) ? value : [];
}
