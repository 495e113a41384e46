import { Textarea, TextInput } from '@mantine/core';
import type { Macro } from '@/api/types';
import { Form } from '@/ui/Form';
import { toast } from '@/ui/toast';
import { useApiForm } from '@/ui/use-api-form';
import { callOf, namesOf } from './parameters';
import { useSaveMacro } from './queries';

export function MacroForm({ macro, onDone }: { macro: Macro | null; onDone: () => void }) {
  const save = useSaveMacro(macro?.id ?? null);
  const { values, input, shown } = useApiForm(
    {
      name: macro?.name ?? '',
      description: macro?.description ?? '',
      parameters: macro?.parameters.join(', ') ?? '',
      sql_query: macro?.sql_query ?? '',
    },
    save.error,
  );
  const name = values.name.trim();
  const parameters = namesOf(values.parameters);
  const submit = () =>
    save.mutate(
      { name, description: values.description.trim(), parameters, sql_query: values.sql_query },
      {
        onSuccess: (saved) => {
          toast.done(`Saved. Use it in rules as ${callOf(saved.name, saved.parameters)}.`);
          onDone();
        },
      },
    );
  return (
    <Form submit={macro ? 'Save' : 'Create macro'} noValidate busy={save.isPending} error={save.error} shown={shown} onSubmit={submit}>
      <TextInput
        label="Name"
        description={`Used in rules as ${callOf(name || 'name', parameters)}.`}
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        {...input('name')}
      />
      <TextInput
        label="Parameters"
        description="Comma-separated names. The query refers to them with a leading colon."
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
        {...input('parameters')}
      />
      <Textarea
        label="Query"
        description="Returns one value from the caller's account. Understands SELECT value FROM collection WHERE condition, not all of SQL."
        placeholder="SELECT COUNT(*) FROM members WHERE user = @request.auth.id AND project = :project"
        classNames={{ input: 'mono' }}
        autosize
        minRows={3}
        maxRows={12}
        spellCheck={false}
        {...input('sql_query')}
      />
      <TextInput label="Description" {...input('description')} />
    </Form>
  );
}
