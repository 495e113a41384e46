import { ActionIcon, Text } from '@mantine/core';
import { IconArrowLeft, IconArrowRight } from '@tabler/icons-react';
import type { RecordRow } from '@/api/types';
import classes from './board.module.css';
import { beside, type State, STATE_LABELS, stateOf } from './board';

const words = (value: unknown) => (typeof value === 'string' ? value : '');

/** Dragged with the pointer, moved with its arrows from the keyboard. */
export function Task({ task, fresh, onMove }: { task: RecordRow; fresh: boolean; onMove: (id: string, to: State) => void }) {
  const title = words(task.title);
  const state = stateOf(task);
  const arrow = (to: State | undefined, Icon: typeof IconArrowLeft) =>
    to && (
      <ActionIcon size={24} aria-label={`Move ${title} to ${STATE_LABELS[to]}`} onClick={() => onMove(task.id, to)}>
        <Icon size={16} />
      </ActionIcon>
    );
  return (
    <li
      className={classes.task}
      data-flash={fresh || undefined}
      draggable
      onDragStart={(event) => event.dataTransfer.setData('text/plain', task.id)}
    >
      <div className={classes.words}>
        <Text fw={500}>{title}</Text>
        {words(task.notes) !== '' && (
          <Text fz="sm" c="dimmed">
            {words(task.notes)}
          </Text>
        )}
      </div>
      <span className={classes.arrows}>
        {arrow(beside(state, -1), IconArrowLeft)}
        {arrow(beside(state, 1), IconArrowRight)}
      </span>
    </li>
  );
}
