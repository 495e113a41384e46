/** What others do to the rows in view: changed values appear with a short highlight, nothing moves under the hand. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { RecordPage, RecordRow } from '@/api/types';
import { type Connection, LiveSocket } from '@/features/realtime/live-socket';
import { placeRecord } from '../queries';

const HIGHLIGHT = 1600;
const FLUSH_EVERY = 100;

interface Frame {
  operation?: unknown;
  id?: unknown;
  data?: unknown;
}

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
    let waiting: Frame[] = [];
    const timers = new Set<number>();
    const shown = () => {
      const pages = queries.getQueriesData<RecordPage>({ queryKey: ['records', collection, 'page'] });
      return new Map(pages.flatMap(([, page]) => page?.items ?? []).map((row) => [row.id, row]));
    };
    const highlight = (changed: Map<string, string[]>) => {
      setFlashes((before) => new Map([...before, ...changed]));
      const timer = window.setTimeout(() => {
        timers.delete(timer);
        setFlashes((before) => new Map([...before].filter(([id, names]) => changed.get(id) !== names)));
      }, HIGHLIGHT);
      timers.add(timer);
    };
    const flush = window.setInterval(() => {
      if (waiting.length === 0) return;
      const frames = waiting;
      waiting = [];
      const known = shown();
      const changed = new Map<string, string[]>();
      const deleted: string[] = [];
      let created = 0;
      for (const { operation, id, data } of frames) {
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
    }, FLUSH_EVERY);
    const socket = new LiveSocket({ onConnection: setConnection, onFrame: (frame) => waiting.push(frame), onProblem: () => undefined });
    socket.start();
    socket.watch([collection]);
    return () => {
      window.clearInterval(flush);
      for (const timer of timers) window.clearTimeout(timer);
      socket.stop();
    };
  }, [collection, queries]);

  return { connection, flashes, gone };
}
