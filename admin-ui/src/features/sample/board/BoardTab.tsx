import { Anchor, Group, Skeleton, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { LiveDot } from '@/features/records/toolbar/LiveDot';
import { ErrorPanel } from '@/ui/ErrorPanel';
import classes from './board.module.css';
import { STATES, stateOf } from './board';
import { Column } from './Column';
import { NewTask } from './NewTask';
import { useBoard } from './use-board';

const route = getRouteApi('/app/collections/$name/board');

/** What a client of the sample looks like: everything that anybody changes is here at once. */
export function BoardTab() {
  const { name } = route.useParams();
  const { list, connection, fresh, move, add } = useBoard(name);
  const tasks = list.data?.items;
  return (
    <div className={classes.page}>
      <Group justify="space-between" gap="xs">
        <Text c="dimmed" fz="sm">
          <Anchor href={window.location.href} target="_blank" rel="noreferrer" underline="always" c="var(--sb-accent-text)">
            Open a second window
          </Anchor>{' '}
          beside this one and move a task: it moves in both.
        </Text>
        <LiveDot connection={connection} />
      </Group>
      <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />
      {list.isPending && <Skeleton h={320} />}
      {tasks && (
        <div className={classes.columns}>
          {STATES.map((state) => (
            <Column
              key={state}
              state={state}
              tasks={tasks.filter((task) => stateOf(task) === state)}
              fresh={fresh}
              onMove={(id, to) => move.mutate({ id, status: to })}
              foot={state === 'open' && <NewTask busy={add.isPending} error={add.error} onAdd={(title, done) => add.mutate(title, { onSuccess: done })} />}
            />
          ))}
        </div>
      )}
    </div>
  );
}
