// The frames of the server, as far as this client uses them.
/** What was asked for was refused. */
export class RealtimeError extends Error {
    code;
    name = 'RealtimeError';
    constructor(message, 
    /** Names the kind of problem, as in `forbidden`. */
    code) {
        super(message);
        this.code = code;
    }
    static of(frame) {
        return new RealtimeError(frame.error ?? 'refused', frame.code ?? 'unknown');
    }
}
