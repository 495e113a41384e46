/** What others do to the rows in view: changed values appear with a short highlight, nothing moves under the hand. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { RecordPage, RecordRow } from '@/api/types';
import { type Connection, LiveSocket } from '@/features/realtime/live-socket';
import { catchUp, gatherEvents } from '../events';
import { placeRecord } from '../queries';

const HIGHLIGHT = 1600;
const HAND_OVER = 100;

/** The names of the values in which two versions of a record differ, what the server sets aside. */
export function changedNames(before: RecordRow, after: Record<string, unknown>): string[] {
  return Object.keys(after).filter((name) => name !== 'account_name' && JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** `onArrival` is told how many records came that the list does not show yet. */
export function useLiveRows(collection: string, onArrival: (count: number) => void) {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  const [flashes, setFlashes] = useState<ReadonlyMap<string, string[]>>(new Map());
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const arrived = useRef(onArrival);
  useEffect(() => {
    arrived.current = onArrival;
  }, [onArrival]);

  useEffect(() => {
    const pages = { queryKey: ['records', collection, 'page'] };
    const timers = new Set<number>();
    const shown = () => {
      const loaded = queries.getQueriesData<RecordPage>(pages);
      return new Map(loaded.flatMap(([, page]) => page?.items ?? []).map((row) => [row.id, row]));
    };
    const highlight = (changed: Map<string, string[]>) => {
      setFlashes((before) => new Map([...before, ...changed]));
      const timer = window.setTimeout(() => {
        timers.delete(timer);
        setFlashes((before) => new Map([...before].filter(([id, names]) => changed.get(id) !== names)));
      }, HIGHLIGHT);
      timers.add(timer);
    };
    const events = gatherEvents(queries, pages.queryKey, HAND_OVER, (events) => {
      const known = shown();
      const changed = new Map<string, string[]>();
      const deleted: string[] = [];
      let created = 0;
      for (const { operation, id, data } of events) {
        if (typeof id !== 'string') continue;
        const row = known.get(id);
        if (operation === 'delete') deleted.push(id);
        else if (row && typeof data === 'object' && data !== null) {
          const names = changedNames(row, data as Record<string, unknown>);
          if (names.length === 0) continue;
          changed.set(id, names);
          placeRecord(queries, collection, data as RecordRow);
        } else if (operation === 'create') {
          created += 1;
          changed.set(id, []);
        }
      }
      if (changed.size > 0) highlight(changed);
      if (deleted.some((id) => known.has(id))) setGone((before) => new Set([...before, ...deleted]));
      if (created > 0) arrived.current(created);
    });
    const socket = new LiveSocket({
      onConnection: (state) => {
        setConnection(state);
        if (state === 'open') void catchUp(queries, pages.queryKey);
      },
      onFrame: events.push,
      onProblem: () => undefined,
    });
    socket.start();
    socket.watch([collection]);
    return () => {
      events.stop();
      for (const timer of timers) window.clearTimeout(timer);
      socket.stop();
    };
  }, [collection, queries]);

  return { connection, flashes, gone };
}
