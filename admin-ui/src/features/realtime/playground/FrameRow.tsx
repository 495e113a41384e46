import { IconArrowDown, IconArrowUp, IconPoint } from '@tabler/icons-react';
import { memo, useState } from 'react';
import { CodeBlock } from '@/ui/CodeBlock';
import { JsonBlock } from '@/ui/JsonBlock';
import { clockTime } from '@/ui/format';
import type { Direction, Frame } from './frames';
import classes from './playground.module.css';

const DIRECTIONS: Record<Direction, { label: string; icon: typeof IconPoint }> = {
  in: { label: 'received', icon: IconArrowDown },
  out: { label: 'sent', icon: IconArrowUp },
  note: { label: 'the line', icon: IconPoint },
};

export const FrameRow = memo(function FrameRow({ frame }: { frame: Frame }) {
  const [open, setOpen] = useState(false);
  const { label, icon: Icon } = DIRECTIONS[frame.direction];
  const content = (
    <>
      <span className={`${classes.time} tabular`}>{clockTime(frame.at)}</span>
      <span className={classes.arrow} role="img" aria-label={label} title={label}>
        <Icon size={16} aria-hidden />
      </span>
      <span className={`${classes.kind} mono ellipsis`}>{frame.kind}</span>
      <span className={frame.direction === 'note' ? 'ellipsis' : 'mono ellipsis'}>{frame.text}</span>
    </>
  );
  if (frame.direction === 'note') {
    return (
      <li className={classes.frame} data-kind={frame.kind} data-direction={frame.direction}>
        <div className={classes.row} data-direction="note">
          {content}
        </div>
      </li>
    );
  }
  return (
    <li className={classes.frame} data-kind={frame.kind} data-direction={frame.direction}>
      <button type="button" className={classes.row} aria-expanded={open} onClick={() => setOpen(!open)}>
        {content}
      </button>
      {open && (
        <div className={classes.body}>{frame.value === undefined || frame.text.includes('\n') ? <CodeBlock text={frame.text} what="frame" wrap /> : <JsonBlock value={frame.value} />}</div>
      )}
    </li>
  );
});
