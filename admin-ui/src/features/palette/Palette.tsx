import { Modal } from '@mantine/core';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { score } from './match';
import classes from './palette.module.css';
import { type Command, useCommands } from './use-commands';

const MOST = 40;
const GROUPS: Command['group'][] = ['Pages', 'Actions', 'Collections'];

function ranked(commands: Command[], typed: string): Command[] {
  const points = (command: Command) => Math.max(score(typed, command.label), command.words ? score(typed, command.words) / 2 : 0);
  const hits = commands
    .map((command) => ({ command, points: points(command) }))
    .filter((hit) => hit.points > 0)
    .sort((a, b) => b.points - a.points);
  const best = new Map<string, number>();
  for (const { command, points: own } of hits) best.set(command.group, Math.max(best.get(command.group) ?? 0, own));
  // Groups stay together; the one with the best answer comes first.
  const order = typed.trim() === '' ? GROUPS : [...GROUPS].sort((a, b) => (best.get(b) ?? 0) - (best.get(a) ?? 0));
  return order.flatMap((group) => hits.filter((hit) => hit.command.group === group).map((hit) => hit.command)).slice(0, MOST);
}

export function Palette({ onClose }: { onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} size={560} centered={false} yOffset="12dvh" aria-label="Search" transitionProps={{ duration: 0 }}>
      <Search onClose={onClose} />
    </Modal>
  );
}

function Search({ onClose }: { onClose: () => void }) {
  const id = useId();
  const commands = useCommands();
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => ranked(commands, typed), [commands, typed]);
  const at = Math.min(chosen, shown.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at, shown]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && shown.length > 0) setChosen((at + step + shown.length) % shown.length);
    else if (event.key === 'Enter') run(shown[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        // At once: the dialog would do it a moment later, and what is typed until then would be lost.
        autoFocus
        data-autofocus
        role="combobox"
        aria-label="Search pages, collections and actions"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={shown[at] ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        className={classes.input}
        placeholder="Go to, create, update…"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setChosen(0);
        }}
      />
      <div ref={list} id={id} role="listbox" aria-label="Results" className={classes.list}>
        {GROUPS.filter((group) => shown.some((command) => command.group === group))
          .sort((a, b) => shown.findIndex((command) => command.group === a) - shown.findIndex((command) => command.group === b))
          .map((group) => (
            <div key={group} role="group" aria-label={group}>
              <div className={classes.label} aria-hidden>
                {group}
              </div>
              {shown.map((command, index) => command.group === group && (
                <Option key={command.id} id={`${id}-${index}`} command={command} selected={index === at} onRun={() => run(command)} onPoint={() => setChosen(index)} />
              ))}
            </div>
          ))}
      </div>
      {shown.length === 0 && <div className={classes.none}>No results</div>}
    </>
  );
}

interface OptionProps {
  id: string;
  command: Command;
  selected: boolean;
  onRun: () => void;
  onPoint: () => void;
}

function Option({ id, command: { label, icon: Icon }, selected, onRun, onPoint }: OptionProps) {
  return (
    <div id={id} role="option" aria-selected={selected} className={classes.option} onClick={onRun} onPointerMove={selected ? undefined : onPoint}>
      <Icon size={16} stroke={1.6} aria-hidden />
      <span className="ellipsis">{label}</span>
    </div>
  );
}
