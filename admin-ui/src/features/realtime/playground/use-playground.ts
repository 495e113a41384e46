import { useCallback, useEffect, useRef, useState } from 'react';
import type { PlaygroundSearch } from '@/app/search';
import { fetchTicket } from '../ticket';
import { added, type Direction, type Frame } from './frames';
import { type Line, openSocket, openStream } from './line';
import { messageOf, type Wish } from './wish';

export type LineState = 'closed' | 'connecting' | 'open';

interface Start {
  wish: Wish;
  via: PlaygroundSearch['via'];
  /** Whose rights the connection has; without one, those of the person who is signed in. */
  userId: string | undefined;
}

/** One connection at a time, opened and closed by hand: what a program would see is what is shown. */
export function usePlayground() {
  const [frames, setFrames] = useState<Frame[]>([]);
  const [state, setState] = useState<LineState>('closed');
  const [problem, setProblem] = useState<unknown>(null);
  const line = useRef<Line | null>(null);
  /** Which connection the page is about: what an older one still has to say is not heard. */
  const turn = useRef(0);

  const note = useCallback((direction: Direction, text: string) => {
    setFrames((before) => added(before, [{ direction, text, at: Date.now() }]));
  }, []);

  const disconnect = useCallback(() => {
    turn.current += 1;
    line.current?.close();
    line.current = null;
    setState('closed');
  }, []);

  const send = useCallback(
    (text: string) => {
      line.current?.send?.(text);
      note('out', text);
    },
    [note],
  );

  const connect = useCallback(
    async ({ wish, via, userId }: Start) => {
      disconnect();
      const own = turn.current;
      setState('connecting');
      setProblem(null);
      const ticket = await fetchTicket(userId).catch((error: unknown) => {
        if (own === turn.current) setProblem(error);
        return null;
      });
      if (own !== turn.current) return;
      if (ticket === null) return setState('closed');
      const heard = <T extends unknown[]>(act: (...values: T) => void) => (...values: T) => {
        if (own === turn.current) act(...values);
      };
      const ears = {
        opened: heard(() => {
          setState('open');
          note('note', via === 'sse' ? 'The stream is open' : 'The WebSocket is open');
          if (via !== 'sse') send(JSON.stringify(messageOf(wish)));
        }),
        received: heard((text: string) => note('in', text)),
        closed: heard((why: string) => {
          line.current = null;
          setState('closed');
          note('note', why);
        }),
      };
      line.current = via === 'sse' ? openStream(ticket, wish, ears) : openSocket(ticket, ears);
    },
    [disconnect, note, send],
  );

  useEffect(() => disconnect, [disconnect]);

  const hangUp = () => {
    disconnect();
    note('note', 'Closed here');
  };
  return { frames, state, problem, connect, send, disconnect: hangUp, clear: () => setFrames([]) };
}
