/** The tasks on the board: read once, then kept by what the subscription tells. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '@/api/client';
import type { RecordPage, RecordRow } from '@/api/types';
import { type Connection, LiveSocket } from '@/features/realtime/live-socket';
import { catchUp, gatherEvents } from '@/features/records/events';
import { fetchPage, recordPath } from '@/features/records/queries';
import { toast } from '@/ui/toast';
import { follow } from './board';

const HIGHLIGHT = 1600;
const HAND_OVER = 50;

export function useBoard(collection: string) {
  const queries = useQueryClient();
  const key = ['records', collection, 'board'];
  const list = useQuery({ queryKey: key, queryFn: ({ signal }) => fetchPage(collection, { limit: 100, sort: 'priority,created_at' }, signal) });
  const [connection, setConnection] = useState<Connection>('connecting');
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const timers = useRef(new Set<number>());

  useEffect(() => {
    const cached = ['records', collection, 'board'];
    const running = timers.current;
    const highlight = (id: string) => {
      setFresh((before) => new Set([...before, id]));
      const timer = window.setTimeout(() => {
        running.delete(timer);
        setFresh((before) => new Set([...before].filter((other) => other !== id)));
      }, HIGHLIGHT);
      running.add(timer);
    };
    const events = gatherEvents(queries, cached, HAND_OVER, (events) => {
      for (const { operation, id, data } of events) {
        if (typeof id !== 'string' || typeof operation !== 'string') continue;
        queries.setQueryData<RecordPage>(cached, (page) => page && { ...page, items: follow(page.items, operation, id, data as Partial<RecordRow>) });
        highlight(id);
      }
    });
    const socket = new LiveSocket({
      onConnection: (state) => {
        setConnection(state);
        if (state === 'open') void catchUp(queries, cached);
      },
      onFrame: events.push,
      onProblem: (message) => toast.failed(new Error(message)),
    });
    socket.start();
    socket.watch([collection]);
    return () => {
      events.stop();
      for (const timer of running) window.clearTimeout(timer);
      socket.stop();
    };
  }, [collection, queries]);

  const place = (record: RecordRow) =>
    queries.setQueryData<RecordPage>(key, (page) => page && { ...page, items: follow(page.items, 'update', record.id, record) });
  const move = useMutation({
    mutationFn: ({ id, status }: { id: string; status: string }) => api.patch<RecordRow>(recordPath(collection, id), { status }),
    onSuccess: place,
    onError: (error) => toast.failed(error),
  });
  const add = useMutation({
    mutationFn: (title: string) => api.post<RecordRow>(recordPath(collection), { title }),
    onSuccess: place,
  });
  return { list, connection, fresh, move, add };
}
