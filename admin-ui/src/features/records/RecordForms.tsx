import { Button } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { Collection, FieldDefinition, RecordRow } from '@/api/types';
import { AccountPicker } from '@/features/accounts/AccountPicker';
import { useAccountScope } from '@/features/accounts/scope';
import { SYSTEM_ACCOUNT_LABEL } from '@/features/accounts/system-account';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { focusRefused } from '@/ui/focus-refused';
import { Form } from '@/ui/Form';
import { shortId } from '@/ui/format';
import { toast } from '@/ui/toast';
import { FieldInput } from './FieldInput';
import { isEditable, targetOf } from '@/features/field-types/registry';
import { collect, type FormValues, initialValues } from './form-values';
import { consequences } from './consequences';
import { useReferrers } from './referrers';
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
  const set = (patch: FormValues) => {
    const next = { ...values, ...patch };
    setValues(next);
    // At once, not after the next render: a key may already be closing the form.
    onDirty(fields.some((field) => next[field.name] !== initial[field.name]));
  };
  /** The data to send, or null when something cannot be read or is missing outside of the fields. */
  const gather = (complete = true) => {
    const { data, errors } = collect(fields, values, initial, record === null);
    setProblems(errors);
    if (complete && Object.keys(errors).length === 0) return data;
    window.requestAnimationFrame(() => focusRefused(document.querySelector('[role="dialog"] form')));
    return null;
  };
  const dirty = fields.some((field) => values[field.name] !== initial[field.name]);
  return { values, problems, set, gather, dirty };
}

interface FieldsProps {
  /** The account of the record: references point into it. */
  account: string | null;
  /** Whether the first field takes the focus. */
  autofocus?: boolean;
  fields: FieldDefinition[];
  form: ReturnType<typeof useRecordForm>;
  error: unknown;
}

function Fields({ fields, form, account, autofocus = false, error }: FieldsProps) {
  const inputs = fields.map((field, index) => (
    <FieldInput
      key={field.name}
      first={index === 0 && autofocus}
      account={account}
      field={field}
      value={form.values[field.name] ?? ''}
      error={form.problems[field.name] ?? fieldMessage(error, field.name)}
      onChange={(text) => form.set({ [field.name]: text })}
    />
  ));
  return <div className="sb-fields">{inputs}</div>;
}

export function CreateForm({ collection, onDirty, onDone }: FormProps) {
  const fields = collection.schema.filter(isEditable);
  const create = useCreateRecord(collection.name);
  const form = useRecordForm(fields, null, onDirty);
  const scope = useAccountScope();
  const [account, setAccount] = useState<string | null>(scope ?? null);
  const [accountMissing, setAccountMissing] = useState(false);
  const shown = (name: string) => name === 'account_id' || fields.some((field) => field.name === name);
  const changeAccount = (id: string | null) => {
    setAccount(id);
    setAccountMissing(false);
    // A record of another account could not be referred to.
    if (id !== account) form.set(Object.fromEntries(fields.filter((field) => targetOf(field) !== null).map(({ name }) => [name, ''])));
  };
  const submit = () => {
    const data = form.gather(account !== null);
    setAccountMissing(account === null);
    if (!data || account === null) return;
    create.mutate({ ...data, account_id: account }, {
      onSuccess: (record) => {
        toast.done(`Created record ${shortId(record.id)}.`);
        onDone();
      },
    });
  };
  return (
    <Form submit="Create record" sticky noValidate busy={create.isPending} error={create.error} shown={shown} onSubmit={submit}>
      <AccountPicker
        system={SYSTEM_ACCOUNT_LABEL}
        data-autofocus={account === null ? true : undefined}
        value={account}
        onChange={changeAccount}
        error={accountMissing ? 'Choose the account that owns the record.' : fieldMessage(create.error, 'account_id')}
      />
      <Fields fields={fields} form={form} account={account} autofocus={account !== null} error={create.error} />
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
      <Fields fields={fields} form={form} account={record.account_id} error={update.error} />
    </Form>
  );
}

function DeleteRecord({ collection, id, onDone }: { collection: string; id: string; onDone: () => void }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteRecord(collection);
  const sentences = consequences(useReferrers(collection, id, asking) ?? []);
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
        It is removed from {collection}. {sentences.join(' ')} This cannot be undone.
      </ConfirmDialog>
    </>
  );
}
