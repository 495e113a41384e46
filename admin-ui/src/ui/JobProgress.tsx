import { Button, Group, Progress, Text } from '@mantine/core';
import { formatNumber } from './format';

interface Props {
  label: string;
  done: number;
  total: number;
  onStop: () => void;
}

/** How far a long job is; it can be stopped. */
export function JobProgress({ label, done, total, onStop }: Props) {
  const percent = total === 0 ? 0 : Math.round((done / total) * 100);
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text fz="sm" className="tabular" role="status">
          {label}: {formatNumber(done)} of {formatNumber(total)}
        </Text>
        <Button size="compact-sm" variant="default" onClick={onStop}>
          Stop
        </Button>
      </Group>
      <Progress value={percent} aria-label={label} />
    </div>
  );
}
