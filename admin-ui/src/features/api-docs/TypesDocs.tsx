import { Group, Text, Title } from '@mantine/core';
import { CodeBlock } from '@/ui/CodeBlock';
import { CopyAllTypes } from './CopyAllTypes';
import { type ApiDocument, typeNameOf } from './document';
import { typesOf } from './typescript';

/** The records of the collection as types. */
export function TypesDocs({ collection, document }: { collection: string; document: ApiDocument }) {
  const typeName = typeNameOf(document, collection);
  return (
    <>
      <Title order={2}>Types</Title>
      <Group mt={4} mb="md" gap="sm" justify="space-between">
        <Text maw={640} flex="1 1 320px">
          What is read, what is sent to create and what is sent to change a record. For all collections at once, copy them here or run{' '}
          <span className="mono">snackbase types typescript</span>.
        </Text>
        <CopyAllTypes />
      </Group>
      {typeName !== null && <CodeBlock text={typesOf(document, typeName)} what="types" />}
    </>
  );
}
