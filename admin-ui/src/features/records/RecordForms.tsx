import { Button } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { Collection, FieldDefinition, RecordRow } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { focusRefused } from '@/ui/focus-refused';
import { Form } from '@/ui/Form';
import { shortId } from '@/ui/format';
import { toast } from '@/ui/toast';
import { FieldInput } from './FieldInput';
import { isEditable } from '@/features/field-types/registry';
import { collect, type FormValues, initialValues } from './form-values';
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
    if (Object.keys(errors).length === 0) return data;
    window.requestAnimationFrame(() => focusRefused(document.querySelector('[role="dialog"] form')));
    return null;
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
    <Form submit="Create record" sticky noValidate busy={create.isPending} error={create.error} shown={shown} onSubmit={submit}>
      <Fields fields={fields} form={form} error={create.error} />
      <AccountPicker value={account} onChange={setAccount} error={fieldMessage(create.error, 'account_id')} />
    </Form>
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
    <Form
      submit="Save record"
      sticky
      noValidate
      busy={update.isPending}
      disabled={!form.dirty}
      error={update.error}
      shown={(name) => fields.some((field) => field.name === name)}
      beside={<DeleteRecord collection={collection.name} id={record.id} onDone={onDone} />}
      onSubmit={submit}
    >
      <Fields fields={fields} form={form} error={update.error} />
    </Form>
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
      <Button variant="subtle" color="red" mr="auto" onClick={() => setAsking(true)}>
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
