import { type KeyboardEvent, useRef, useState } from 'react';
import { fieldMessage, messageOf } from '@/api/errors';
import type { FieldDefinition, RecordRow } from '@/api/types';
import { fieldType } from '@/features/field-types/registry';
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

/** Longer texts are edited in an area. */
const MAX_LINE_CHARACTERS = 60;

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
  const { CellInput, enterAddsLine = false } = fieldType(field.type);
  const long = before.includes('\n') || before.length > MAX_LINE_CHARACTERS;
  const onKeyDown = (event: KeyboardEvent) => {
    // The grid's keys mean something else here.
    event.stopPropagation();
    if (event.key === 'Escape') leave();
    if (event.key !== 'Enter' || event.shiftKey || (enterAddsLine && !event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    save(text);
  };
  return (
    <div className={classes.editor} onKeyDown={onKeyDown} onPointerDown={(event) => event.stopPropagation()}>
      <CellInput
        field={field}
        label={`${field.name} of ${shortId(row.id)}`}
        account={row.account_id}
        RecordPicker={ReferencePicker}
        text={text}
        long={long}
        onText={setText}
        onSave={(next = text) => save(next)}
      />
      {problem && (
        <div role="alert" className={classes.problem}>
          {problem} <CorrelationId error={patch.error} />
        </div>
      )}
    </div>
  );
}
