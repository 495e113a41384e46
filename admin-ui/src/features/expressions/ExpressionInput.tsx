import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import type { RuleProblem } from '@/api/types';
import { completed, type Completion, matching, wordBefore } from './completions';
import classes from './expression.module.css';
import { Paint } from './Paint';

interface Props {
  label: string;
  value: string;
  onChange: (text: string) => void;
  completions: Completion[];
  problems: RuleProblem[];
  placeholder?: string;
  /** Where the messages stand. */
  describedBy?: string;
  /** With it, Enter does this instead of breaking the line. */
  onEnter?: () => void;
  before?: ReactNode;
  after?: ReactNode;
}

/** What may be completed, and which proposal is chosen. */
interface Started {
  word: string;
  cursor: number;
  chosen: number;
}

interface Open extends Started {
  options: Completion[];
}

/** A text area whose text is painted behind it: colours, marks and completion, and all that a browser does with text. */
export function ExpressionInput({ label, value, onChange, completions, problems, placeholder, describedBy, onEnter, before, after }: Props) {
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  const [started, setStarted] = useState<Started | null>(null);
  // Proposals may come from the server when the word is there already.
  const options = started ? matching(completions, started.word) : [];
  const open: Open | null = started && options.length > 0 ? { ...started, options } : null;

  const suggest = (text: string, cursor: number, asked: boolean) => {
    const word = wordBefore(text, cursor);
    setStarted(word === null || (word === '' && !asked) ? null : { word, cursor, chosen: 0 });
  };
  const accept = (entry: Completion) => {
    if (!open) return;
    const next = completed(value, open.cursor, open.word, entry);
    setStarted(null);
    onChange(next.text);
    window.requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.cursor, next.cursor);
    });
  };
  const inList = (event: KeyboardEvent, { options, chosen, ...at }: Open): boolean => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setStarted({ ...at, chosen: (chosen + step + options.length) % options.length });
    else if (event.key === 'Escape') setStarted(null);
    else if (event.key === 'Tab' && event.shiftKey) return false;
    else if (event.key === 'Enter' || event.key === 'Tab') {
      const entry = options[chosen];
      if (entry) accept(entry);
    } else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (open && inList(event, open)) {
      event.stopPropagation();
      event.preventDefault();
    } else if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      suggest(value, event.currentTarget.selectionStart, true);
    } else if (event.key === 'Enter' && onEnter && !event.shiftKey) {
      event.preventDefault();
      onEnter();
    }
  };
  return (
    <div className={classes.root}>
      <div
        className={classes.field}
        data-invalid={problems.length > 0 || undefined}
        data-before={before !== undefined || undefined}
        data-after={after !== undefined || undefined}
      >
        {before && <span className={classes.before}>{before}</span>}
        <Paint text={value} problems={problems} />
        <textarea
          ref={input}
          className={classes.input}
          aria-label={label}
          aria-describedby={describedBy}
          aria-invalid={problems.length > 0}
          aria-autocomplete="list"
          aria-controls={open ? id : undefined}
          aria-activedescendant={open ? `${id}-${open.chosen}` : undefined}
          placeholder={placeholder}
          rows={1}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          value={value}
          onKeyDown={onKeyDown}
          onBlur={() => setStarted(null)}
          onChange={(event) => {
            onChange(event.currentTarget.value);
            suggest(event.currentTarget.value, event.currentTarget.selectionStart, false);
          }}
        />
        {after && <span className={classes.after}>{after}</span>}
      </div>
      {open && (
        <ul id={id} role="listbox" aria-label="Completions" className={classes.list}>
          {open.options.map((entry, index) => (
            <li
              key={entry.insert}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === open.chosen}
              className={classes.option}
              // The text area must keep the focus.
              onPointerDown={(event) => {
                event.preventDefault();
                accept(entry);
              }}
            >
              <span className="mono">{entry.label}</span>
              <span className={classes.detail}>{entry.detail}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
