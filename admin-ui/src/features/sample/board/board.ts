import type { RecordRow } from '@/api/types';

export const STATES = ['open', 'doing', 'done'] as const;
export type State = (typeof STATES)[number];

export const STATE_LABELS: Record<State, string> = { open: 'Open', doing: 'In progress', done: 'Done' };

/** The tasks after one event; what is told twice is there once. */
export function follow(tasks: RecordRow[], operation: string, id: string, data: Partial<RecordRow> | undefined): RecordRow[] {
  if (operation === 'delete') return tasks.filter((task) => task.id !== id);
  if (!data) return tasks;
  const known = tasks.some((task) => task.id === id);
  return known ? tasks.map((task) => (task.id === id ? { ...task, ...data } : task)) : [...tasks, { ...data, id } as RecordRow];
}

/** A task without a state, or with one that the board does not know, stands in the first column. */
export function stateOf(task: RecordRow): State {
  return STATES.find((state) => state === task.status) ?? 'open';
}

/** The column beside, if there is one. */
export function beside(state: State, by: -1 | 1): State | undefined {
  return STATES[STATES.indexOf(state) + by];
}
