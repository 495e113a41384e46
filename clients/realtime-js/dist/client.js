// What an application holds: one client, one connection, any number of subscriptions and rooms.
import { LiveQuery } from './live-query.js';
import { RealtimeError } from './protocol.js';
import { Room } from './room.js';
import { Socket } from './socket.js';
import { Subscription } from './subscription.js';
export class RealtimeClient {
    #socket;
    #subscriptions = new Map();
    #rooms = new Map();
    #questions = new Map();
    #lastRef = 0;
    constructor(options) {
        const WebSocketClass = options.WebSocket ?? globalThis.WebSocket;
        if (!WebSocketClass) {
            throw new TypeError('There is no WebSocket here: give the class of the `ws` package as the option `WebSocket`');
        }
        const url = new URL('/api/v1/realtime/ws', options.url);
        url.protocol = url.protocol.replace('http', 'ws');
        this.#socket = new Socket(url.href, options.token, WebSocketClass, {
            opened: () => this.#resume(),
            received: (frame) => this.#receive(frame),
            lost: () => this.#fail(new RealtimeError('the connection broke before the answer', 'disconnected')),
            changed: (state) => options.onState?.(state),
        });
    }
    /** How the connection is. */
    get state() {
        return this.#socket.state;
    }
    /** Tells of changes of a collection, or of one record. */
    subscribe(collection, options, handlers) {
        const ref = this.#nextRef();
        const line = {
            send: (message) => this.#socket.send(message),
            forget: () => this.#subscriptions.delete(ref),
        };
        const subscription = new Subscription(line, ref, collection, options, handlers);
        this.#subscriptions.set(ref, subscription);
        this.#socket.open();
        return subscription;
    }
    /** Keeps an array of the records that fit, in order. */
    liveQuery(collection, options = {}) {
        return new LiveQuery((subscribe, handlers) => this.subscribe(collection, subscribe, handlers), options);
    }
    /** Enters a room. Entering it again replaces the handlers. */
    room(name, options = {}) {
        const line = {
            send: (message) => this.#socket.send(message),
            ask: (message) => this.#ask(message),
            leave: () => this.#rooms.delete(name),
        };
        const room = new Room(line, name, options);
        this.#rooms.set(name, room);
        this.#socket.open();
        return room;
    }
    /** Hands a fresh token to the server, for instance after the user's roles have changed. */
    renew() {
        return this.#socket.renew();
    }
    /** Ends everything; the client cannot be used again. */
    close() {
        this.#subscriptions.clear();
        this.#rooms.clear();
        this.#fail(new RealtimeError('the client was closed', 'closed'));
        this.#socket.close();
    }
    #resume() {
        for (const subscription of this.#subscriptions.values())
            subscription.start();
        for (const room of this.#rooms.values())
            room.join();
    }
    #receive(frame) {
        if (frame.type === 'checkpoint' && typeof frame.cursor === 'string') {
            for (const subscription of this.#subscriptions.values())
                subscription.passed(frame.cursor);
            return;
        }
        const { ref, room } = frame;
        const question = ref === undefined ? undefined : this.#questions.get(ref);
        if (ref !== undefined && question) {
            this.#questions.delete(ref);
            if (frame.type === undefined)
                question.failed(RealtimeError.of(frame));
            else
                question.done();
        }
        else if (ref !== undefined) {
            this.#subscriptions.get(ref)?.receive(frame);
        }
        else if (typeof room === 'string') {
            this.#rooms.get(room)?.receive(frame);
        }
    }
    #ask(message) {
        if (this.#socket.state !== 'open') {
            return Promise.reject(new RealtimeError('there is no connection', 'disconnected'));
        }
        const ref = this.#nextRef();
        return new Promise((done, failed) => {
            this.#questions.set(ref, { done, failed });
            this.#socket.send({ ...message, ref });
        });
    }
    #fail(error) {
        for (const question of this.#questions.values())
            question.failed(error);
        this.#questions.clear();
    }
    #nextRef() {
        this.#lastRef += 1;
        return String(this.#lastRef);
    }
}
