import { useEffect, useReducer, useRef, useState } from 'react';
import { INITIAL, reduce } from './events';
import { type Connection, LiveSocket } from './live-socket';

/** Bursts are shown together: one render for all events of this many milliseconds. */
const FLUSH_EVERY = 100;

/** `collections` is undefined while it is not known yet which ones there are. */
export function useLive(collections: string[] | undefined) {
  const [state, dispatch] = useReducer(reduce, INITIAL);
  const [connection, setConnection] = useState<Connection>('connecting');
  const [problem, setProblem] = useState<string | null>(null);
  const socket = useRef<LiveSocket | null>(null);

  useEffect(() => {
    let waiting: Record<string, unknown>[] = [];
    const timer = window.setInterval(() => {
      if (waiting.length === 0) return;
      dispatch({ type: 'arrived', frames: waiting });
      waiting = [];
    }, FLUSH_EVERY);
    const live = new LiveSocket({
      onConnection: setConnection,
      onFrame: (frame) => waiting.push(frame),
      onProblem: setProblem,
    });
    socket.current = live;
    live.start();
    return () => {
      window.clearInterval(timer);
      live.stop();
      socket.current = null;
    };
  }, []);

  const names = collections?.join(',');
  useEffect(() => {
    if (names === undefined) return;
    socket.current?.watch(names === '' ? [] : names.split(','));
  }, [names]);

  return { ...state, dispatch, connection, problem, dismissProblem: () => setProblem(null) };
}
