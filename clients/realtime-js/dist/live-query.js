// An array that always holds what the list would return.
import { comparer } from './order.js';
export class LiveQuery {
    /** Resolves when the records are there for the first time; rejects if the query is refused. */
    ready;
    #items = [];
    #records = new Map();
    /** The records of a snapshot that is under way: what was there before stays until it is complete. */
    #incoming = new Map();
    #planned = false;
    #listeners = new Set();
    #compare;
    #subscription;
    #settle;
    /** @internal */
    constructor(subscribe, options) {
        const sort = options.sort ?? '-created_at';
        this.#compare = comparer(sort);
        this.ready = new Promise((done, failed) => {
            this.#settle = { done, failed };
        });
        // Whoever does not wait for it is not to be told of an unhandled rejection.
        this.ready.catch(() => undefined);
        this.#subscription = subscribe({ ...options, sort, snapshot: true }, {
            begin: () => {
                this.#incoming = new Map();
            },
            snapshot: (items) => this.#take(items),
            event: (event) => this.#apply(event),
            live: () => this.#complete(),
            resync: () => this.#subscription.restart(),
            error: (error) => this.#settle.failed(error),
        });
    }
    /** The records, in order. A new array after each change, so that it may be compared by identity. */
    get items() {
        return this.#items;
    }
    /** Calls `listener` now and after each change. Returns how to stop that. */
    subscribe(listener) {
        this.#listeners.add(listener);
        listener(this.#items);
        return () => this.#listeners.delete(listener);
    }
    close() {
        this.#listeners.clear();
        this.#subscription.unsubscribe();
    }
    #take(items) {
        this.#incoming ??= new Map();
        for (const item of items)
            this.#incoming.set(item.id, item);
    }
    #apply(event) {
        const records = this.#incoming ?? this.#records;
        if (event.operation === 'delete')
            records.delete(event.id);
        else
            records.set(event.id, event.data);
        if (!this.#incoming)
            this.#plan();
    }
    #complete() {
        if (this.#incoming)
            this.#records = this.#incoming;
        this.#incoming = undefined;
        this.#publish();
        this.#settle.done(this.#items);
    }
    /** Many events at once are sorted and shown once. */
    #plan() {
        if (this.#planned)
            return;
        this.#planned = true;
        queueMicrotask(() => {
            if (this.#planned)
                this.#publish();
        });
    }
    #publish() {
        this.#planned = false;
        this.#items = [...this.#records.values()].sort(this.#compare);
        for (const listener of this.#listeners)
            listener(this.#items);
    }
}
