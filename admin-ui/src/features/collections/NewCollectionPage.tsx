import { Button, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Form } from '@/ui/Form';
import { type Crumb, Page } from '@/ui/Page';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { toast } from '@/ui/toast';
import type { Collection, Rules } from '@/api/types';
import { rulesQuery } from '@/features/rules/queries';
import { collectionQuery, useCreateCollection } from './queries';
import { copiesOf, definitionOf, isSchemaPath, newField } from './schema-form';
import { SchemaEditor } from './SchemaEditor';
import { useLiveProblems } from './use-live-problems';

const route = getRouteApi('/app/collections/new');
const CRUMBS: [Crumb, Crumb] = [{ label: 'Collections', to: '/collections' }, { label: 'New collection' }];

export function NewCollectionPage() {
  const { from } = route.useSearch();
  return <Page crumbs={CRUMBS}>{from === undefined ? <NewCollectionForm /> : <CopyOf key={from} name={from} />}</Page>;
}

function CopyOf({ name }: { name: string }) {
  const source = useQuery(collectionQuery(name));
  const rules = useQuery(rulesQuery(name));
  const error = source.error ?? rules.error;
  if (error) return <ErrorPanel error={error} />;
  if (!source.data || !rules.data) return <Skeleton h={320} maw={880} />;
  return <NewCollectionForm source={{ collection: source.data, rules: rules.data }} />;
}

/** The rules of a collection as a new one takes them. */
function rulesOf(rules: Rules) {
  const { list_rule, view_rule, create_rule, update_rule, delete_rule, list_fields, view_fields, create_fields, update_fields } = rules;
  return { list_rule, view_rule, create_rule, update_rule, delete_rule, list_fields, view_fields, create_fields, update_fields };
}

function NewCollectionForm({ source }: { source?: { collection: Collection; rules: Rules } }) {
  const navigate = useNavigate();
  const create = useCreateCollection();
  const [name, setName] = useState(source ? `${source.collection.name}_copy` : '');
  const [drafts, setDrafts] = useState(() => (source ? copiesOf(source.collection.schema) : [newField()]));
  const [sent, setSent] = useState<string[]>([]);
  const touched = name !== '' || drafts.some((draft) => draft.name !== '');
  const live = useLiveProblems({ name, drafts, enabled: touched });
  // Half a name is no mistake while it is typed.
  const [named, setNamed] = useState(Boolean(source));
  const submit = () => {
    setSent(drafts.map((draft) => draft.key));
    create.mutate(
      { ...(source && rulesOf(source.rules)), name: name.trim(), fields: drafts.map(definitionOf) },
      {
        onSuccess: (collection) => {
          toast.done(
            source
              ? `Created ${collection.name} with the fields and rules of ${source.collection.name}, without its records.`
              : `Created ${collection.name}. Only superadmins can reach it until you open its rules.`,
          );
          void navigate({ to: '/collections/$name/records', params: { name: collection.name }, ignoreBlocker: true });
        },
      },
    );
  };
  const placed = (path: string) => path === 'name' || isSchemaPath(path);
  const cancel = (
    <Button variant="default" renderRoot={(props) => <Link to="/collections" {...props} />}>
      Cancel
    </Button>
  );
  return (
    <>
      <UnsavedGuard dirty={touched}>The collection is not created yet.</UnsavedGuard>
      <Form submit="Create collection" align="start" maw={880} busy={create.isPending} error={create.error} shown={placed} beside={cancel} onSubmit={submit}>
        <TextInput
          label="Name"
          description="Letters, digits and underscores; it becomes part of the addresses."
          classNames={{ input: 'mono' }}
          maw={360}
          required
          withAsterisk={false}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          value={name}
          error={fieldMessage(create.error, 'name') ?? (named ? live.fields.name?.join(' ') : undefined)}
          onBlur={() => setNamed(name !== '')}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Stack gap={6}>
          <Text fw={500}>Fields</Text>
          <SchemaEditor drafts={drafts} onChange={setDrafts} error={create.error} sent={sent} live={live} />
        </Stack>
      </Form>
    </>
  );
}
