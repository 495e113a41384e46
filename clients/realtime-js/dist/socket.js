// One connection that is made again whenever it breaks.
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 15_000;
/** The server beats every 30 seconds; a line that is silent for longer is dead. */
const LONGEST_SILENCE = 75_000;
/** Renew this long before the token ends. */
const RENEWAL_MARGIN = 30_000;
/** The longest delay that timers take. */
const LONGEST_TIMER = 2 ** 31 - 1;
export class Socket {
    url;
    source;
    WebSocketClass;
    handlers;
    #state = 'idle';
    #socket;
    #token;
    #failures = 0;
    #retry;
    #silence;
    #renewal;
    constructor(url, source, WebSocketClass, handlers) {
        this.url = url;
        this.source = source;
        this.WebSocketClass = WebSocketClass;
        this.handlers = handlers;
    }
    get state() {
        return this.#state;
    }
    /** Connects unless that is done or under way. */
    open() {
        if (this.#state === 'idle')
            void this.#connect();
    }
    /** Sends if the line is open. Whoever must be heard after a break says it again when `opened` is called. */
    send(message) {
        if (this.#state === 'open')
            this.#socket?.send(JSON.stringify(message));
    }
    /** Asks for a token now and hands it to the server without a new connection. */
    async renew() {
        if (this.#state !== 'open')
            return;
        const token = await this.#fetchToken();
        if (token && token !== this.#token) {
            this.#token = token;
            this.send({ action: 'auth', token });
        }
        this.#planRenewal();
    }
    close() {
        this.#setState('closed');
        this.#drop();
    }
    async #connect() {
        this.#setState('connecting');
        const token = await this.#fetchToken();
        if (this.#state !== 'connecting')
            return;
        if (!token) {
            this.#again();
            return;
        }
        this.#token = token;
        // A header cannot be set here, and a URL ends up in logs: the token goes as one of the offered protocols.
        const socket = new this.WebSocketClass(this.url, ['snackbase', token]);
        this.#socket = socket;
        socket.onopen = () => {
            this.#setState('open');
            this.#listen();
            this.#planRenewal();
            this.handlers.opened();
        };
        socket.onmessage = ({ data }) => {
            this.#failures = 0;
            this.#listen();
            const frame = parse(data);
            if (frame)
                this.handlers.received(frame);
        };
        socket.onerror = () => {
            // A close follows.
        };
        socket.onclose = () => {
            if (this.#socket === socket)
                this.#lost();
        };
    }
    async #fetchToken() {
        try {
            return await this.source();
        }
        catch {
            return null;
        }
    }
    #lost() {
        const wasOpen = this.#state === 'open';
        this.#drop();
        if (this.#state === 'closed')
            return;
        this.#again();
        if (wasOpen)
            this.handlers.lost();
    }
    #again() {
        this.#setState('waiting');
        const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
        this.#failures += 1;
        // Chance spreads the clients of a server that has just come back.
        const pause = longest * (0.5 + Math.random() / 2);
        this.#retry = setTimeout(() => void this.#connect(), pause);
    }
    #drop() {
        clearTimeout(this.#retry);
        clearTimeout(this.#silence);
        clearTimeout(this.#renewal);
        const socket = this.#socket;
        this.#socket = undefined;
        socket?.close();
    }
    #listen() {
        clearTimeout(this.#silence);
        this.#silence = setTimeout(() => this.#lost(), LONGEST_SILENCE);
    }
    #planRenewal() {
        clearTimeout(this.#renewal);
        const end = this.#token && endOf(this.#token);
        if (!end)
            return;
        const delay = Math.max(1_000, end - Date.now() - RENEWAL_MARGIN);
        if (delay < LONGEST_TIMER)
            this.#renewal = setTimeout(() => void this.renew(), delay);
    }
    #setState(state) {
        if (this.#state === state)
            return;
        this.#state = state;
        this.handlers.changed(state);
    }
}
function parse(data) {
    try {
        return JSON.parse(String(data));
    }
    catch {
        return undefined;
    }
}
/** When a token ends, in milliseconds; undefined if that cannot be read from it. */
function endOf(token) {
    try {
        const payload = token.split('.')[1] ?? '';
        const claims = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
        return claims.exp && claims.exp * 1_000;
    }
    catch {
        return undefined;
    }
}
