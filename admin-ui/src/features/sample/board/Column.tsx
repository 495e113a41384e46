import { Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { RecordRow } from '@/api/types';
import classes from './board.module.css';
import { type State, STATE_LABELS } from './board';
import { Task } from './Task';

interface Props {
  state: State;
  tasks: RecordRow[];
  /** What has just changed. */
  fresh: ReadonlySet<string>;
  onMove: (id: string, to: State) => void;
  foot?: ReactNode;
}

export function Column({ state, tasks, fresh, onMove, foot }: Props) {
  const [over, setOver] = useState(false);
  return (
    <section
      className={classes.column}
      aria-label={STATE_LABELS[state]}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        const id = event.dataTransfer.getData('text/plain');
        if (id !== '') onMove(id, state);
      }}
    >
      <header className={classes.head}>
        <Title order={2} size="h3">
          {STATE_LABELS[state]}
        </Title>
        <Text span c="dimmed" fz="sm" className="tabular">
          {tasks.length}
        </Text>
      </header>
      <ul className={classes.tasks}>
        {tasks.map((task) => (
          <Task key={task.id} task={task} fresh={fresh.has(task.id)} onMove={onMove} />
        ))}
      </ul>
      {foot}
    </section>
  );
}
