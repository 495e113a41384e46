/** One connection, as raw as a browser gives it: text out, text in. */
import { API } from '@/api/client';
import { socketUrl } from '../ticket';
import { queryOf, type Wish } from './wish';

export interface Line {
  /** Absent where nothing can be sent. */
  send?: (text: string) => void;
  close: () => void;
}

export interface Ears {
  opened: () => void;
  received: (text: string) => void;
  /** Called once; nothing comes afterwards. */
  closed: (why: string) => void;
}

export function openSocket(ticket: string, ears: Ears): Line {
  const socket = new WebSocket(socketUrl(ticket));
  socket.onopen = ears.opened;
  socket.onmessage = ({ data }) => ears.received(String(data));
  socket.onclose = ({ code, reason }) => ears.closed(`Closed with ${code}${reason === '' ? '' : `, ${reason}`}`);
  return {
    send: (text) => socket.send(text),
    close: () => {
      // Closing one that is still connecting is an error in the browser's eyes.
      if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
      else socket.close(1000);
    },
  };
}

/** Blocks that are complete, and what is left over. */
export function blocksOf(text: string): { blocks: string[]; rest: string } {
  const parts = text.replaceAll('\r\n', '\n').split('\n\n');
  const rest = parts.pop() ?? '';
  return { blocks: parts.filter((part) => part !== ''), rest };
}

async function read(response: Response, received: (text: string) => void): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return;
    const { blocks, rest } = blocksOf(waiting + part.value);
    waiting = rest;
    blocks.forEach(received);
  }
}

/** The stream as it is on the line, which an `EventSource` would not show. */
export function openStream(ticket: string, wish: Wish, ears: Ears): Line {
  const stop = new AbortController();
  const query = new URLSearchParams([...queryOf(wish), ['ticket', ticket]]);
  const run = async () => {
    const response = await fetch(`${API}/realtime/subscribe?${query.toString()}`, { headers: { accept: 'text/event-stream' }, signal: stop.signal });
    if (!response.ok) return `Refused with ${response.status}: ${await response.text()}`;
    ears.opened();
    await read(response, ears.received);
    return 'The server ended the stream';
  };
  void run()
    .catch(() => (stop.signal.aborted ? 'Closed' : 'The stream broke off'))
    .then(ears.closed);
  return { close: () => stop.abort() };
}
