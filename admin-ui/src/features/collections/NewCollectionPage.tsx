import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldMessage } from '@/api/errors';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { Page } from '@/ui/Page';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { toast } from '@/ui/toast';
import { useCreateCollection } from './queries';
import { definitionOf, isSchemaPath, newField } from './schema-form';
import { SchemaEditor } from './SchemaEditor';

export function NewCollectionPage() {
  const navigate = useNavigate();
  const create = useCreateCollection();
  const [name, setName] = useState('');
  const [drafts, setDrafts] = useState(() => [newField()]);
  const [sent, setSent] = useState<string[]>([]);
  const touched = name !== '' || drafts.some((draft) => draft.name !== '');
  const submit = () => {
    setSent(drafts.map((draft) => draft.key));
    create.mutate(
      { name: name.trim(), fields: drafts.map(definitionOf) },
      {
        onSuccess: (collection) => {
          toast.done(`Created ${collection.name}. Only superadmins can reach it until you open its rules.`);
          void navigate({ to: '/collections/$name/records', params: { name: collection.name }, ignoreBlocker: true });
        },
      },
    );
  };
  return (
    <Page crumbs={[{ label: 'Collections', to: '/collections' }, { label: 'New collection' }]}>
      <UnsavedGuard dirty={touched}>The collection is not created yet.</UnsavedGuard>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="md" maw={880}>
          <TextInput
            label="Name"
            description="Letters, digits and underscores; it becomes part of the addresses and cannot be changed."
            classNames={{ input: 'mono' }}
            maw={360}
            required
            withAsterisk={false}
            autoFocus
            autoComplete="off"
            spellCheck={false}
            value={name}
            error={fieldMessage(create.error, 'name')}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Stack gap={6}>
            <Text fw={500}>Fields</Text>
            <SchemaEditor drafts={drafts} onChange={setDrafts} error={create.error} sent={sent} />
          </Stack>
          <ErrorPanel error={create.error} shownFields={(path) => path === 'name' || isSchemaPath(path)} />
          <Group gap="xs">
            <Button type="submit" loading={create.isPending}>
              Create collection
            </Button>
            <Button variant="default" renderRoot={(props) => <Link to="/collections" {...props} />}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Page>
  );
}
