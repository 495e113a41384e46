import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { RecordRow } from '@/api/types';

export interface Selection {
  ids: string[];
  has: (id: string) => boolean;
  set: (ids: string[]) => void;
  /** With `range`, everything between the last one that was chosen and this one. */
  toggle: (id: string, range: boolean) => void;
}

interface State {
  chosen: ReadonlySet<string>;
  last: string | null;
}

export function toggled({ chosen, last }: State, id: string, range: boolean, order: string[]): State {
  const next = new Set(chosen);
  const from = last === null ? -1 : order.indexOf(last);
  const to = order.indexOf(id);
  if (range && from >= 0 && to >= 0) {
    for (const between of order.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(between);
  } else if (!next.delete(id)) next.add(id);
  return { chosen: next, last: id };
}

export function useSelection(loaded: RecordRow[]): Selection {
  const [state, setState] = useState<State>({ chosen: new Set(), last: null });
  const rows = useRef(loaded);
  useEffect(() => {
    rows.current = loaded;
  });
  const set = useCallback((ids: string[]) => setState({ chosen: new Set(ids), last: null }), []);
  const toggle = useCallback((id: string, range: boolean) => {
    const order = rows.current.map((row) => row.id);
    setState((before) => toggled(before, id, range, order));
  }, []);
  return useMemo(
    () => ({ ids: [...state.chosen], has: (id: string) => state.chosen.has(id), set, toggle }),
    [state.chosen, set, toggle],
  );
}
