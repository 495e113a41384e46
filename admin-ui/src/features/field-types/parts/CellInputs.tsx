import { useEffect, useRef } from 'react';
import type { CellInputProps } from '../definition';
import { choicesOf } from '../options';

type Props = Pick<CellInputProps, 'label' | 'text' | 'onText' | 'onSave'>;

/** What every native control of a cell shares: it takes the focus, and stores when it loses it. */
function useCellControl<E extends HTMLElement>({ label, text, onText, onSave }: Props) {
  const control = useRef<E>(null);
  useEffect(() => control.current?.focus(), []);
  return {
    ref: control,
    'aria-label': label,
    value: text,
    onBlur: () => onSave(),
    onChange: (event: { currentTarget: { value: string } }) => onText(event.currentTarget.value),
  };
}

function toEnd(control: HTMLInputElement | HTMLTextAreaElement | null): void {
  control?.setSelectionRange(control.value.length, control.value.length);
}

export function ChoiceCellInput({ choices, ...props }: Props & { choices: string[] }) {
  const common = useCellControl<HTMLSelectElement>(props);
  return (
    <select {...common}>
      {choices.map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
      <option value="">null</option>
    </select>
  );
}

function LineCellInput(props: Props) {
  const common = useCellControl<HTMLInputElement>(props);
  useEffect(() => toEnd(common.ref.current), [common.ref]);
  return <input {...common} type="text" autoComplete="off" />;
}

export function AreaCellInput({ mono, ...props }: Props & { mono?: boolean }) {
  const common = useCellControl<HTMLTextAreaElement>(props);
  useEffect(() => toEnd(common.ref.current), [common.ref]);
  return <textarea {...common} spellCheck={false} className={mono ? 'mono' : undefined} />;
}

export function TimeCellInput({ type, ...props }: Props & { type: 'date' | 'datetime-local' }) {
  const common = useCellControl<HTMLInputElement>(props);
  return <input {...common} type={type} step={1} autoComplete="off" />;
}

/** A list of allowed values, an area for what is long, a line otherwise. */
export function TextCellInput({ field, long, ...props }: CellInputProps) {
  const choices = choicesOf(field.options);
  if (choices) {
    // What is stored stays on offer although it is no longer on the list.
    const offered = props.text === '' || choices.includes(props.text) ? choices : [props.text, ...choices];
    return <ChoiceCellInput {...props} choices={offered} />;
  }
  return long ? <AreaCellInput {...props} /> : <LineCellInput {...props} />;
}

export function JsonCellInput(props: CellInputProps) {
  return <AreaCellInput {...props} mono />;
}
