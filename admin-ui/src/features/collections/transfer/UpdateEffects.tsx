import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { FieldDefinition } from '@/api/types';
import { ErrorPanel } from '@/ui/ErrorPanel';
import { collectionQuery } from '../queries';
import { schemaChanges } from '../schema-diff';
import { draftOf } from '../schema-form';
import { SchemaChanges } from '../SchemaChanges';

/** What the file would change about a collection that is here already. */
export function UpdateEffects({ name, schema }: { name: string; schema: FieldDefinition[] }) {
  const stored = useQuery(collectionQuery(name));
  if (stored.error) return <ErrorPanel error={stored.error} />;
  if (!stored.data) return <Skeleton h={20} my={6} />;
  const here = stored.data.schema;
  const drafts = schema.map((field) => ({ ...draftOf(field), stored: here.find((other) => other.name === field.name) ?? null }));
  const lacking = here.filter((field) => !schema.some((other) => other.name === field.name)).map((field) => field.name);
  const changes = schemaChanges(drafts, here, stored.data.records_count);
  return (
    <>
      {lacking.length > 0 && (
        <Text fz="sm" c="var(--mantine-color-error)" p="xs">
          Will be refused: the file lacks <span className="mono">{lacking.join(', ')}</span>, and fields cannot be removed.
        </Text>
      )}
      {changes.length > 0 && <SchemaChanges changes={changes} />}
      {changes.length === 0 && lacking.length === 0 && (
        <Text fz="sm" c="dimmed" p="xs">
          The fields are the same; the rules become those of the file.
        </Text>
      )}
    </>
  );
}
