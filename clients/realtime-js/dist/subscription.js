// One subscription: it survives breaks of the connection without a gap and without a repeat.
import { RealtimeError } from './protocol.js';
export class Subscription {
    line;
    ref;
    collection;
    options;
    handlers;
    #cursor;
    /** Whether everything up to the cursor was received, so that it can be gone on from there. */
    #complete;
    #ended = false;
    /** @internal */
    constructor(line, ref, collection, options, handlers) {
        this.line = line;
        this.ref = ref;
        this.collection = collection;
        this.options = options;
        this.handlers = handlers;
        this.#cursor = options.since;
        this.#complete = !options.snapshot;
        this.start();
    }
    /** The last position that was received; kept somewhere, it can be given as `since` after a reload. */
    get cursor() {
        return this.#complete ? this.#cursor : undefined;
    }
    unsubscribe() {
        if (this.#ended)
            return;
        this.#ended = true;
        this.line.send({ action: 'unsubscribe', collection: this.collection, ref: this.ref });
        this.line.forget(this.ref);
    }
    /** Begins anew, with a snapshot if there was one. */
    restart() {
        this.#cursor = undefined;
        this.#complete = !this.options.snapshot;
        this.start();
    }
    /** @internal Says to the server what is wanted; again after each break. */
    start() {
        const { since: _, snapshot, ...rest } = this.options;
        const from = this.#complete && this.#cursor ? { since: this.#cursor } : { snapshot };
        this.line.send({ action: 'subscribe', ref: this.ref, collection: this.collection, ...rest, ...from });
    }
    /** @internal */
    receive(frame) {
        switch (frame.type) {
            case 'subscribed':
                if (this.#complete)
                    this.#cursor ??= text(frame.cursor);
                else
                    this.handlers.begin?.();
                break;
            case 'snapshot':
                this.handlers.snapshot?.(frame.items);
                break;
            case 'live':
            case 'replayed':
                this.#complete = true;
                this.#cursor = text(frame.cursor) ?? this.#cursor;
                this.handlers.live?.();
                break;
            case 'resync':
                this.#cursor = text(frame.cursor) ?? this.#cursor;
                this.handlers.resync?.(frame.reason);
                break;
            case 'unsubscribed':
                break;
            case undefined:
                this.#ended = true;
                this.line.forget(this.ref);
                this.handlers.error?.(RealtimeError.of(frame));
                break;
            default: {
                const event = frame;
                this.#cursor = event.cursor;
                this.handlers.event?.(event);
            }
        }
    }
    /** @internal The log went on, and nothing in it was for this subscription. */
    passed(cursor) {
        if (this.#complete)
            this.#cursor = cursor;
    }
}
function text(value) {
    return typeof value === 'string' ? value : undefined;
}
