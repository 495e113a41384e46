import { Tabs, Text, Title } from '@mantine/core';
import { CodeBlock } from '@/ui/CodeBlock';
import { asCurl, asJavaScript, asTypeScript, type Call } from './call';
import { type ApiDocument, typeNameOf } from './document';

/** The call as it stands in the form beside, in three languages. */
export function CallSnippets({ document, call }: { document: ApiDocument; call: Call }) {
  const { origin } = window.location;
  const typeName = typeNameOf(document, call.collection);
  return (
    <section aria-label="Code">
      <Title order={3} mb={6}>
        Code
      </Title>
      <Tabs defaultValue="curl">
        <Tabs.List mb="xs">
          <Tabs.Tab value="curl">curl</Tabs.Tab>
          <Tabs.Tab value="javascript">JavaScript</Tabs.Tab>
          {typeName !== null && <Tabs.Tab value="typescript">TypeScript</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="curl">
          <CodeBlock text={asCurl(origin, call)} />
        </Tabs.Panel>
        <Tabs.Panel value="javascript">
          <CodeBlock text={asJavaScript(origin, call)} />
        </Tabs.Panel>
        {typeName !== null && (
          <Tabs.Panel value="typescript">
            <CodeBlock text={asTypeScript(origin, call, typeName)} />
            <Text c="dimmed" fz="sm" mt={4}>
              <span className="mono">snackbase types typescript &gt; snackbase-types.ts</span> writes the types of all collections.
            </Text>
          </Tabs.Panel>
        )}
      </Tabs>
    </section>
  );
}
