import { Button, Group, Stack } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { Collection, FieldDefinition, RecordRow } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { shortId } from '@/ui/format';
import { toast } from '@/ui/toast';
import { FieldInput } from './FieldInput';
import { collect, type FormValues, initialValues, isEditable } from './form-values';
import { useCreateRecord, useDeleteRecord, useUpdateRecord } from './queries';

interface FormProps {
  collection: Collection;
  onDirty: (dirty: boolean) => void;
  onDone: () => void;
}

/** The texts of the form, the problems found before sending, and whether anything was touched. */
function useRecordForm(fields: FieldDefinition[], record: RecordRow | null, onDirty: (dirty: boolean) => void) {
  const [initial] = useState(() => initialValues(fields, record));
  const [values, setValues] = useState<FormValues>(initial);
  const [problems, setProblems] = useState<Record<string, string>>({});
  const set = (name: string, text: string) => {
    const next = { ...values, [name]: text };
    setValues(next);
    onDirty(fields.some((field) => next[field.name] !== initial[field.name]));
  };
  /** The data to send, or null when something cannot be read. */
  const gather = () => {
    const { data, errors } = collect(fields, values, initial, record === null);
    setProblems(errors);
    return Object.keys(errors).length === 0 ? data : null;
  };
  const dirty = fields.some((field) => values[field.name] !== initial[field.name]);
  return { values, problems, set, gather, dirty, isNew: record === null };
}

interface FieldsProps {
  fields: FieldDefinition[];
  form: ReturnType<typeof useRecordForm>;
  error: unknown;
}

function Fields({ fields, form, error }: FieldsProps) {
  return fields.map((field, index) => (
    <FieldInput
      key={field.name}
      first={index === 0 && form.isNew}
      field={field}
      value={form.values[field.name] ?? ''}
      error={form.problems[field.name] ?? fieldMessage(error, field.name)}
      onChange={(text) => form.set(field.name, text)}
    />
  ));
}

export function CreateForm({ collection, onDirty, onDone }: FormProps) {
  const fields = collection.schema.filter(isEditable);
  const create = useCreateRecord(collection.name);
  const form = useRecordForm(fields, null, onDirty);
  const [account, setAccount] = useState<string | null>(null);
  const element = useRef<HTMLFormElement>(null);
  // The drawer may have looked for its first control before the form was there, and what closes beside it takes the focus along.
  useEffect(() => {
    const focus = () => {
      if (!element.current?.contains(document.activeElement)) element.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    };
    focus();
    const timers = [100, 400, 1_000].map((delay) => window.setTimeout(focus, delay));
    return () => timers.forEach((timer) => window.clearTimeout(timer));
  }, []);
  const shown = (name: string) => name === 'account_id' || fields.some((field) => field.name === name);
  const submit = () => {
    const data = form.gather();
    if (!data) return;
    create.mutate(account ? { ...data, account_id: account } : data, {
      onSuccess: (record) => {
        toast.done(`Created record ${shortId(record.id)}.`);
        onDone();
      },
    });
  };
  return (
    <form
      ref={element}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Fields fields={fields} form={form} error={create.error} />
        <AccountPicker value={account} onChange={setAccount} error={fieldMessage(create.error, 'account_id')} />
        <ErrorPanel error={create.error} shownFields={shown} />
        <Group gap="xs">
          <Button type="submit" loading={create.isPending}>
            Create record
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function EditForm({ collection, record, onDirty, onDone }: FormProps & { record: RecordRow }) {
  const fields = collection.schema.filter(isEditable);
  const update = useUpdateRecord(collection.name, record.id, () => {
    onDirty(false);
    toast.done(`Saved record ${shortId(record.id)}.`);
  });
  const form = useRecordForm(fields, record, onDirty);
  const submit = () => {
    const data = form.gather();
    if (data) update.mutate(data);
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Fields fields={fields} form={form} error={update.error} />
        <ErrorPanel error={update.error} shownFields={(name) => fields.some((field) => field.name === name)} />
        <Group justify="space-between">
          <Button type="submit" disabled={!form.dirty} loading={update.isPending}>
            Save record
          </Button>
          <DeleteRecord collection={collection.name} id={record.id} onDone={onDone} />
        </Group>
      </Stack>
    </form>
  );
}

function DeleteRecord({ collection, id, onDone }: { collection: string; id: string; onDone: () => void }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteRecord(collection);
  const confirm = () =>
    remove.mutate(id, {
      onSuccess: () => {
        toast.done(`Deleted record ${shortId(id)}.`);
        onDone();
      },
    });
  return (
    <>
      <Button variant="subtle" color="red" onClick={() => setAsking(true)}>
        Delete record
      </Button>
      <ConfirmDialog
        opened={asking}
        title={`Delete record ${shortId(id)}?`}
        confirm="Delete record"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={confirm}
        onClose={() => setAsking(false)}
      >
        It is removed from {collection}, and records that refer to it follow the rule of their field. This cannot be undone.
      </ConfirmDialog>
    </>
  );
}
