import { Text, Title } from '@mantine/core';
import { CodeBlock } from '@/ui/CodeBlock';
import { type ApiDocument, typeNameOf } from './document';
import { typesOf } from './typescript';

/** The records of the collection as types. */
export function TypesDocs({ collection, document }: { collection: string; document: ApiDocument }) {
  const typeName = typeNameOf(document, collection);
  return (
    <>
      <Title order={2}>Types</Title>
      <Text mt={4} mb="md" maw={640}>
        What is read, what is sent to create and what is sent to change a record. For all collections at once, run{' '}
        <span className="mono">snackbase types typescript</span>.
      </Text>
      {typeName !== null && <CodeBlock text={typesOf(document, typeName)} what="types" />}
    </>
  );
}
