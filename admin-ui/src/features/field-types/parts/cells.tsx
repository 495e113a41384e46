import type { ReactNode } from 'react';
import { choicesOf } from '../options';
import type { CellContext } from '../definition';
import classes from './cells.module.css';

/** Longer values are cut; the record shows all of them. */
const MAX_CELL_CHARACTERS = 400;
const MAX_TOOLTIP_CHARACTERS = 2000;

/** What stands for the absence of a value. */
export function Faint({ children, title }: { children: string; title?: string }) {
  return (
    <span className={classes.faint} title={title}>
      {children}
    </span>
  );
}

/** One of a list of values, or a record: something that was chosen, not typed. */
export function Chip({ children, title }: { children: ReactNode; title?: string }) {
  return (
    <span className={classes.chip} title={title}>
      {children}
    </span>
  );
}

/** A line of text, as a chip where the field has a list of allowed values. */
export function textCell(value: unknown, { field }: CellContext): ReactNode {
  if (value === '') return <Faint>empty</Faint>;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (choicesOf(field.options)) return <Chip>{text}</Chip>;
  return <span title={text.length > 24 ? text.slice(0, MAX_TOOLTIP_CHARACTERS) : undefined}>{text.slice(0, MAX_CELL_CHARACTERS)}</span>;
}

export function jsonCell(value: unknown): ReactNode {
  return <span className="mono">{JSON.stringify(value).slice(0, MAX_CELL_CHARACTERS)}</span>;
}
