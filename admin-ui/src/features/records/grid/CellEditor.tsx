import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { fieldMessage, messageOf } from '@/api/errors';
import type { FieldDefinition, RecordRow } from '@/api/types';
import { choicesOf } from '@/features/collections/field-options';
import { CorrelationId } from '@/ui/CorrelationId';
import { shortId } from '@/ui/format';
import { toast } from '@/ui/toast';
import { toText, toValue } from '../form-values';
import { usePatchRecord } from '../queries';
import { ReferencePicker } from '../ReferencePicker';
import classes from './grid.module.css';

interface Props {
  collection: string;
  row: RecordRow;
  field: FieldDefinition;
  typed: string | null;
  onClose: () => void;
}

const INPUT_TYPES: Record<string, string> = { datetime: 'datetime-local', date: 'date', email: 'email', url: 'url' };

/** One value in its place: Enter stores it, Escape leaves it as it was, and the answer of the server stands below. */
export function CellEditor({ collection, row, field, typed, onClose }: Props) {
  const before = toText(field, row[field.name]);
  const [text, setText] = useState(typed ?? before);
  const [problem, setProblem] = useState<string | null>(null);
  const patch = usePatchRecord(collection);
  const left = useRef(false);
  const leave = () => {
    left.current = true;
    onClose();
  };
  const save = (next: string) => {
    // Leaving takes the focus away, which would save.
    if (patch.isPending || left.current) return;
    if (next === before) return leave();
    const converted = toValue(field, next);
    if (!converted.ok) return setProblem(converted.message);
    const old = row[field.name] ?? null;
    patch.mutate(
      { id: row.id, data: { [field.name]: converted.value } },
      {
        onSuccess: () => {
          leave();
          toast.undo(`Changed ${field.name} of ${shortId(row.id)}.`, () => patch.mutateAsync({ id: row.id, data: { [field.name]: old } }));
        },
        onError: (error) => setProblem(fieldMessage(error, field.name) ?? messageOf(error)),
      },
    );
  };
  const long = field.type === 'json' || field.type === 'file' || before.includes('\n') || before.length > 60;
  const onKeyDown = (event: KeyboardEvent) => {
    // The grid's keys mean something else here.
    event.stopPropagation();
    if (event.key === 'Escape') leave();
    if (event.key !== 'Enter' || event.shiftKey || (long && field.type !== 'text' && !event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    save(text);
  };
  const common = { label: `${field.name} of ${shortId(row.id)}`, text, onText: setText };
  return (
    <div className={classes.editor} onKeyDown={onKeyDown} onPointerDown={(event) => event.stopPropagation()}>
      {field.type === 'reference' ? (
        <ReferencePicker
          label={common.label}
          bare
          opened
          target={field.collection ?? ''}
          value={text}
          onChange={(id) => {
            setText(id);
            save(id);
          }}
        />
      ) : (
        <Control {...common} field={field} long={long} onLeave={() => save(text)} />
      )}
      {problem && (
        <div role="alert" className={classes.problem}>
          {problem} <CorrelationId error={patch.error} />
        </div>
      )}
    </div>
  );
}

/** The values to choose from, where there is a list of them. */
function valuesOf(field: FieldDefinition, text: string): string[] | null {
  if (field.type === 'boolean') return ['true', 'false'];
  const choices = field.type === 'json' ? null : choicesOf(field.options);
  return choices && text !== '' && !choices.includes(text) ? [text, ...choices] : choices;
}

interface ControlProps {
  label: string;
  text: string;
  field: FieldDefinition;
  long: boolean;
  onText: (text: string) => void;
  onLeave: () => void;
}

function Control({ label, text, field, long, onText, onLeave }: ControlProps) {
  const listed = valuesOf(field, text);
  const chosen = listed !== null;
  const control = useRef<HTMLInputElement & HTMLTextAreaElement & HTMLSelectElement>(null);
  useEffect(() => {
    control.current?.focus();
    if (!chosen && !['date', 'datetime'].includes(field.type)) {
      control.current?.setSelectionRange(control.current.value.length, control.current.value.length);
    }
  }, [chosen, field.type]);
  const common = {
    ref: control,
    'aria-label': label,
    value: text,
    onBlur: onLeave,
    onChange: (event: { currentTarget: { value: string } }) => onText(event.currentTarget.value),
  };
  if (listed) {
    return (
      <select {...common}>
        {listed.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
        <option value="">null</option>
      </select>
    );
  }
  if (long) return <textarea {...common} spellCheck={false} className={field.type === 'text' ? undefined : 'mono'} />;
  // Addresses are judged by the server, in its words; a selection cannot be set in controls of their types.
  const type = INPUT_TYPES[field.type];
  return <input {...common} type={type === 'email' || type === 'url' ? 'text' : (type ?? 'text')} step={1} autoComplete="off" />;
}
