import { Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Snippets } from '@/features/realtime/playground/Snippets';
import { JsonBlock } from '@/ui/JsonBlock';
import { Access } from './Access';
import classes from './api-docs.module.css';
import { type ApiDocument, schemaOf, successSchema } from './document';
import { exampleOf } from './example';
import { type Item, ItemList } from './FieldList';

const OPTIONS: Item[] = [
  { name: 'operations', text: '`create`, `update`, `delete`; all of them if it is left out' },
  { name: 'filter', text: 'Only records for which this expression is true, as in a list' },
  { name: 'record', text: 'Only the record with this id; then the view rule decides' },
  { name: 'fields', text: 'Only these fields, and those of the system' },
  { name: 'expand', text: 'References in whose place their records are shown, `author.country` deeper; what they lead to is read when the event is told' },
  { name: 'old', text: '`true`: updates and deletes tell the values before' },
  { name: 'snapshot', text: '`true`: the records that are there come first, in the order of `sort`, `limit` at most' },
  { name: 'since', text: 'A cursor: what happened after it comes first, with nothing left out and nothing twice' },
  { name: 'ref', text: 'Stands in every frame of this subscription; one connection may have several' },
];

/** Subscriptions, with what an event of this collection looks like. */
export function RealtimeDocs({ collection, document }: { collection: string; document: ApiDocument }) {
  const post = document.paths[`/api/v1/records/${collection}`]?.post ?? {};
  const data = exampleOf(document, successSchema(post) ?? schemaOf(post.requestBody));
  const event = {
    type: `${collection}.update`,
    timestamp: '2026-05-01T10:00:00.123Z',
    collection,
    operation: 'update',
    id: (data as { id?: unknown }).id,
    cursor: '81c8b5306c48f53e:5',
    data,
  };
  return (
    <>
      <Title order={2}>Realtime</Title>
      <Text mt={4}>Reports every record that is created, updated or deleted, as soon as the change is committed, to callers who may list it.</Text>
      <div className={classes.columns}>
        <div className={classes.column}>
          <Access collection={collection} operation="list" />
          <ItemList title="Subscription options" items={OPTIONS} />
          <Link to="/live/playground" search={{ collection }} style={{ color: 'var(--sb-accent-text)' }}>
            Open the playground
          </Link>
        </div>
        <div className={classes.column}>
          <Snippets wish={{ collection }} />
          <section aria-label="Example event">
            <Title order={3} mb={6}>
              Example event
            </Title>
            <JsonBlock value={event} maxHeight={420} />
          </section>
        </div>
      </div>
    </>
  );
}
