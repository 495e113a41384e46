import { Tooltip } from '@mantine/core';
import { exactTime, relativeTime } from './format';

export function TimeText({ value }: { value: string | null | undefined }) {
  if (!value) return <>–</>;
  return (
    <Tooltip label={`${exactTime(value)} (${value})`}>
      <time dateTime={value} className="tabular">
        {relativeTime(value)}
      </time>
    </Tooltip>
  );
}
