import { Button, Modal, Select, Text } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { FieldDefinition } from '@/api/types';
import { Form } from '@/ui/Form';
import { plural } from '@/ui/format';
import { JobProgress } from '@/ui/JobProgress';
import { toast } from '@/ui/toast';
import { FieldInput } from '../FieldInput';
import { isEditable } from '@/features/field-types/registry';
import { toValue } from '../form-values';
import type { Selection } from '../grid/use-selection';
import { Refused } from './Refused';
import { useBulkEdit } from './use-bulk';

interface Props {
  collection: string;
  fields: FieldDefinition[];
  selection: Selection;
  onClose: () => void;
}

/** One value for one field of many records. */
export function BulkEdit({ collection, fields, selection, onClose }: Props) {
  const usable = fields.filter(isEditable);
  const [name, setName] = useState(usable[0]?.name ?? '');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const job = useBulkEdit(collection);
  const field = usable.find((other) => other.name === name);
  const what = plural(selection.ids.length, 'record');
  const close = () => {
    job.stop();
    onClose();
  };
  const submit = () => {
    if (!field) return;
    const converted = toValue(field, text);
    setProblem(converted.ok ? null : converted.message);
    if (!converted.ok) return;
    job.mutate(
      { ids: selection.ids, data: { [field.name]: converted.value } },
      {
        onSuccess: ({ done, failures }) => {
          if (done > 0) toast.done(`Updated ${field.name} of ${plural(done, 'record')}.`);
          selection.set(failures.map((failure) => failure.item));
          if (failures.length === 0) onClose();
        },
      },
    );
  };
  const cancel = (
    <Button variant="default" onClick={close}>
      Cancel
    </Button>
  );
  return (
    <Modal opened onClose={close} title={`Edit a field of ${what}`}>
      <Form submit={`Update ${what}`} noValidate busy={job.isPending} error={job.error} beside={cancel} onSubmit={submit}>
        <Select
          label="Field"
          allowDeselect={false}
          searchable
          data={usable.map((other) => other.name)}
          value={name}
          onChange={(next) => {
            setText('');
            setProblem(null);
            setName(next ?? '');
          }}
        />
        {field && (
          <FieldInput field={field} value={text} error={problem ?? fieldMessage(job.error, field.name)} onChange={setText} />
        )}
        {text === '' && (
          <Text fz="sm" c="dimmed">
            Leave empty to clear it.
          </Text>
        )}
        {job.isPending && <JobProgress label="Updating" done={job.handled} total={selection.ids.length} onStop={job.stop} />}
        {job.data && <Refused failures={job.data.failures} />}
      </Form>
    </Modal>
  );
}
