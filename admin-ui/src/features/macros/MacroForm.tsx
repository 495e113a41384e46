import { Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import type { Macro } from '@/api/types';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { callOf, namesOf } from './parameters';
import { useSaveMacro } from './queries';

const SHOWN = ['name', 'description', 'sql_query', 'parameters'];

export function MacroForm({ macro, onDone }: { macro: Macro | null; onDone: () => void }) {
  const save = useSaveMacro(macro?.id ?? null);
  const [name, setName] = useState(macro?.name ?? '');
  const [description, setDescription] = useState(macro?.description ?? '');
  const [parameters, setParameters] = useState(macro?.parameters.join(', ') ?? '');
  const [query, setQuery] = useState(macro?.sql_query ?? '');
  const submit = () =>
    save.mutate(
      { name: name.trim(), description: description.trim(), parameters: namesOf(parameters), sql_query: query },
      {
        onSuccess: (saved) => {
          toast.done(`Saved. Rules write ${callOf(saved.name, saved.parameters)}.`);
          onDone();
        },
      },
    );
  return (
    <Form submit={macro ? 'Save' : 'Create macro'} noValidate busy={save.isPending} error={save.error} shown={SHOWN} onSubmit={submit}>
      <TextInput
        label="Name"
        description={`Rules write ${callOf(name.trim() || 'name', namesOf(parameters))}.`}
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fieldMessage(save.error, 'name')}
      />
      <TextInput
        label="Parameters"
        description="Names, separated by commas; the query has them with a colon before."
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
        value={parameters}
        onChange={(event) => setParameters(event.currentTarget.value)}
        error={fieldMessage(save.error, 'parameters')}
      />
      <Textarea
        label="Query"
        description="One value out of the caller's account: SELECT value FROM collection WHERE condition."
        placeholder="SELECT COUNT(*) FROM members WHERE user = @request.auth.id AND project = :project"
        classNames={{ input: 'mono' }}
        autosize
        minRows={3}
        maxRows={12}
        spellCheck={false}
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
        error={fieldMessage(save.error, 'sql_query')}
      />
      <TextInput
        label="Description"
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
        error={fieldMessage(save.error, 'description')}
      />
    </Form>
  );
}
