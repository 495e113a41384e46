import { expect, it } from 'vitest';
import type { RecordRow } from '@/api/types';
import { beside, follow, stateOf } from './board';

const task = (id: string, status?: string) => ({ id, status }) as unknown as RecordRow;

it('follows what is created, changed and deleted, and takes nothing twice', () => {
  let tasks = [task('a', 'open')];
  tasks = follow(tasks, 'create', 'b', task('b', 'open'));
  tasks = follow(tasks, 'create', 'b', task('b', 'open'));
  tasks = follow(tasks, 'update', 'a', task('a', 'done'));
  expect(tasks.map(({ id, status }) => `${id} ${String(status)}`)).toEqual(['a done', 'b open']);
  expect(follow(tasks, 'delete', 'a', undefined).map(({ id }) => id)).toEqual(['b']);
});

it('has a place for every task and an end on both sides', () => {
  expect(stateOf(task('a', 'elsewhere'))).toBe('open');
  expect([beside('open', -1), beside('open', 1), beside('done', 1)]).toEqual([undefined, 'doing', undefined]);
});
