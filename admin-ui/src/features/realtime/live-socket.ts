/** One WebSocket that stays: it reconnects with growing pauses and keeps the chosen subscriptions. */
import { freshToken } from '@/api/client';
import { session } from '@/api/session';
import { fetchTicket, socketUrl } from './ticket';

export type Connection = 'connecting' | 'subscribing' | 'open' | 'waiting' | 'signed-out';

interface Handlers {
  onConnection: (state: Connection) => void;
  onFrame: (frame: Record<string, unknown>) => void;
  onProblem: (message: string) => void;
}

const LONGEST_PAUSE = 15_000;

export class LiveSocket {
  private socket: WebSocket | null = null;
  private wanted = new Set<string>();
  /** What the server has confirmed on this connection: only then is nothing missed any more. */
  private confirmed = new Set<string>();
  /** False until it was said once what to watch. */
  private told = false;
  private attempts = 0;
  private timer: number | undefined;
  private stopped = false;
  private unwatch: (() => void) | null = null;
  private readonly handlers: Handlers;

  constructor(handlers: Handlers) {
    this.handlers = handlers;
  }

  start(): void {
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    window.clearTimeout(this.timer);
    this.unwatch?.();
    const { socket } = this;
    this.socket = null;
    // Closing one that is still connecting is an error in the browser's eyes.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
    else socket?.close(1000);
  }

  /** Subscribes to what is new and unsubscribes from what is gone, on the open connection. */
  watch(collections: string[]): void {
    const next = new Set(collections);
    for (const name of this.wanted) {
      if (next.has(name)) continue;
      this.send({ action: 'unsubscribe', collection: name, account: '*' });
      this.confirmed.delete(name);
    }
    for (const name of next) if (!this.wanted.has(name)) this.subscribe(name);
    this.wanted = next;
    this.told = true;
    this.report();
  }

  private subscribe(collection: string): void {
    this.send({ action: 'subscribe', collection, account: '*' });
  }

  private report(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const complete = this.told && [...this.wanted].every((name) => this.confirmed.has(name));
    this.handlers.onConnection(complete ? 'open' : 'subscribing');
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private async connect(): Promise<void> {
    this.handlers.onConnection('connecting');
    const token = await freshToken().catch(() => undefined);
    if (this.stopped) return;
    if (token === undefined) return this.retry();
    if (token === null) return this.waitForSession();
    return this.open();
  }

  private async open(): Promise<void> {
    const ticket = await fetchTicket().catch(() => null);
    if (this.stopped) return;
    if (ticket === null) return this.retry();
    const socket = new WebSocket(socketUrl(ticket));
    this.socket = socket;
    socket.onopen = () => {
      this.attempts = 0;
      this.confirmed.clear();
      for (const name of this.wanted) this.subscribe(name);
      this.report();
    };
    socket.onmessage = (message) => this.receive(message.data);
    socket.onclose = () => {
      if (this.socket !== socket || this.stopped) return;
      this.socket = null;
      this.retry();
    };
  }

  private receive(data: unknown): void {
    if (typeof data !== 'string') return;
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame !== 'object' || frame === null) return;
    const { error, type, collection } = frame as { error?: unknown; type?: unknown; collection?: unknown };
    if (typeof collection === 'string' && (type === 'subscribed' || error !== undefined)) {
      this.confirmed.add(collection);
      this.report();
    }
    if (typeof error === 'string') this.handlers.onProblem(error);
    else if (typeof type === 'string' && type.includes('.')) this.handlers.onFrame(frame as Record<string, unknown>);
  }

  private retry(): void {
    if (this.stopped) return;
    this.handlers.onConnection('waiting');
    const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** this.attempts);
    this.attempts += 1;
    this.timer = window.setTimeout(() => void this.connect(), pause);
  }

  private waitForSession(): void {
    this.handlers.onConnection('signed-out');
    this.unwatch?.();
    this.unwatch = session.subscribe(() => {
      if (session.expired() || !session.current()) return;
      this.unwatch?.();
      this.unwatch = null;
      void this.connect();
    });
  }
}
