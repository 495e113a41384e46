import { Badge, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { CopyText } from '@/ui/CopyText';
import { JsonBlock } from '@/ui/JsonBlock';
import { Access } from './Access';
import classes from './api-docs.module.css';
import { type Call, chosen, firstBody, inputSchema, pathOf } from './call';
import { CallSnippets } from './CallSnippets';
import { type ApiDocument, ofCollection, operationOf, outcomes, successSchema } from './document';
import type { Entry } from './entries';
import { exampleOf } from './example';
import { FieldList, type Item, ItemList } from './FieldList';
import { TryIt } from './TryIt';

interface Props {
  document: ApiDocument;
  collection: string;
  entry: Entry;
  /** Of a record that exists; empty without any. */
  id: string;
}

/** One operation: what it does, who may, what it takes and gives, how it is written, and what it answers now. */
export function OperationView({ document, collection, entry, id }: Props) {
  const operation = operationOf(document, collection, entry.method, entry.path) ?? {};
  const [call, setCall] = useState<Call>(() => ({ entry, collection, id, query: entry.start ?? {}, body: firstBody(document, operation, entry, collection, id) }));
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.name !== 'collection');
  const input = inputSchema(document, operation, entry, collection);
  const answer = successSchema(operation);
  const statuses = outcomes(document, operation).map(({ status, description }): Item => ({ name: status, text: description }));
  const query = new URLSearchParams(chosen(call.query)).toString();
  return (
    <>
      <Title order={2}>{entry.label}</Title>
      <Text mt={4}>{operation.summary}</Text>
      {entry.note && <Text c="dimmed" mt={4}>{entry.note}</Text>}
      <div className={classes.address} style={{ marginTop: 8 }}>
        <Badge color="gray">{entry.method.toUpperCase()}</Badge>
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>
          {pathOf({ ...call, id: call.id === '' ? '{id}' : call.id })}
          {query && `?${query}`}
        </span>
        <CopyText icon value={window.location.origin + pathOf(call) + (query && `?${query}`)} />
      </div>
      <div className={classes.columns}>
        <div className={classes.column}>
          <Access collection={collection} operation={entry.rule} />
          {parameters.length > 0 && (
            <ItemList
              title="Parameters"
              items={parameters.map(({ name, in: place, required, description }): Item => ({ name, required, mark: place === 'query' ? undefined : place, text: description }))}
            />
          )}
          {input && <FieldList document={document} schema={input} />}
          <ItemList title="Responses" items={statuses} />
        </div>
        <div className={classes.column}>
          <CallSnippets document={document} call={call} />
          <TryIt call={call} parameters={parameters} onChange={setCall} />
          {answer && (
            <section aria-label="Example answer">
              <Title order={3} mb={6}>
                Example answer
              </Title>
              <JsonBlock value={exampleOf(ofCollection(document, collection), answer)} maxHeight={320} />
              <Text c="dimmed" fz="sm" mt={4}>
                Fields that the rules do not show to the caller are left out.
              </Text>
            </section>
          )}
        </div>
      </div>
    </>
  );
}
