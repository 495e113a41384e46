import { Text, Title } from '@mantine/core';
import classes from './api-docs.module.css';
import { type ApiDocument, resolved, type Schema } from './document';
import { typeOf } from './example';
import { Inline } from './Inline';

export interface Item {
  name: string;
  required?: boolean;
  /** A word next to the name. */
  mark?: string;
  text?: string;
}

export function ItemList({ title, items }: { title: string; items: Item[] }) {
  return (
    <section aria-label={title}>
      <Title order={3} mb={6}>
        {title}
      </Title>
      <dl className={classes.list}>
        {items.map(({ name, required, mark, text }) => (
          <div key={name} className={classes.item}>
            <dt>
              <span className="mono">{name}</span>
              {(required === true || mark !== undefined) && (
                <Text span c="dimmed" fz="xs">
                  {' '}
                  {[mark, required && 'required'].filter(Boolean).join(', ')}
                </Text>
              )}
            </dt>
            <dd>
              <Inline text={text ?? ''} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** What a schema says of its values, in words. */
export function wordsOf(schema: Schema): string {
  const words = [schema.description];
  if (schema.enum) words.push(`one of ${schema.enum.filter((value) => value !== null).map((value) => `\`${JSON.stringify(value)}\``).join(', ')}`);
  if (schema.minimum !== undefined) words.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) words.push(`at most ${schema.maximum}`);
  if (schema.minLength !== undefined) words.push(`at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined) words.push(`at most ${schema.maxLength} characters`);
  if (schema.pattern !== undefined) words.push(`of the pattern \`${schema.pattern}\``);
  if (schema.default !== undefined) words.push(`\`${JSON.stringify(schema.default)}\` if it is left out`);
  return words.filter((word) => word !== undefined).join('; ');
}

/** The fields of a record as they are sent. */
export function FieldList({ document, schema }: { document: ApiDocument; schema: Schema }) {
  const items = Object.entries(schema.properties ?? {}).map(([name, given]): Item => {
    const field = resolved(document, given);
    return { name, required: schema.required?.includes(name), mark: field.format ?? typeOf(field), text: wordsOf(field) };
  });
  return <ItemList title="Fields of the body" items={items} />;
}
