import { Box, Button, Group, Stack, Text } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Collection } from '@/api/types';
import { followRenames } from '@/features/records/follow-renames';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { toast } from '@/ui/toast';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { collectionQuery, useUpdateCollection } from './queries';
import { schemaChanges } from './schema-diff';
import { definitionOf, draftOf, isSchemaPath, renamesOf } from './schema-form';
import { SchemaChanges } from './SchemaChanges';
import classes from './SchemaChanges.module.css';
import { SchemaEditor } from './SchemaEditor';
import { useLiveProblems } from './use-live-problems';

const route = getRouteApi('/app/collections/$name/fields');

export function FieldsTab() {
  const { name } = route.useParams();
  const { data } = useSuspenseQuery(collectionQuery(name));
  // A saved schema starts the editor anew; a refetch of the same one keeps what was typed.
  return <FieldsForm key={`${data.id} ${data.updated_at}`} collection={data} />;
}

function FieldsForm({ collection }: { collection: Collection }) {
  const update = useUpdateCollection(collection.name, ({ rename }) => {
    if (rename) followRenames(collection.name, rename);
    toast.done(`Saved the fields of ${collection.name}.`);
  });
  const [drafts, setDrafts] = useState(() => collection.schema.map(draftOf));
  const [sent, setSent] = useState<string[]>([]);
  const changes = schemaChanges(drafts, collection.schema, collection.records_count);
  const live = useLiveProblems({ collection: collection.name, drafts, enabled: changes.length > 0 });
  const submit = () => {
    setSent(drafts.map((draft) => draft.key));
    const rename = renamesOf(drafts);
    update.mutate({ fields: drafts.map(definitionOf), ...(rename && { rename }) });
  };
  return (
    <Box p="md" maw={912}>
      <UnsavedGuard dirty={changes.length > 0}>The fields have changes that are not saved.</UnsavedGuard>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="md">
          <SchemaEditor drafts={drafts} onChange={setDrafts} error={update.error} sent={sent} live={live} />
          <ErrorPanel error={update.error} shownFields={isSchemaPath} />
          {changes.length > 0 && (
            <section className="sb-panel" aria-label="Before saving">
              <header>
                <Text fw={500}>Saving will change</Text>
              </header>
              <SchemaChanges changes={changes} />
              <Group gap="xs" p="sm" className={classes.save}>
                <Button type="submit" loading={update.isPending}>
                  Save fields
                </Button>
                <Button
                  variant="default"
                  onClick={() => {
                    update.reset();
                    setDrafts(collection.schema.map(draftOf));
                  }}
                >
                  Discard changes
                </Button>
              </Group>
            </section>
          )}
        </Stack>
      </form>
    </Box>
  );
}
