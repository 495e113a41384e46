import { Text } from '@mantine/core';
import type { RuleProblem } from '@/api/types';

export function ProblemList({ id, problems }: { id: string; problems: RuleProblem[] }) {
  return (
    <div id={id} aria-live="polite">
      {problems.map((problem) => (
        <Text key={`${problem.position} ${problem.message}`} fz="sm" c="var(--mantine-color-error)">
          {problem.message}
        </Text>
      ))}
    </div>
  );
}
