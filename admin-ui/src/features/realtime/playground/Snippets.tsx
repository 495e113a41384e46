import { Tabs, Title } from '@mantine/core';
import { CodeBlock } from '@/ui/CodeBlock';
import { snippetsOf } from './snippets';
import type { Wish } from './wish';

/** The configured subscription, to take along. */
export function Snippets({ wish }: { wish: Wish }) {
  const snippets = snippetsOf(window.location.origin, wish);
  return (
    <section aria-label="Code">
      <Title order={2} mb="xs">
        Code
      </Title>
      <Tabs defaultValue="WebSocket">
        <Tabs.List mb="xs">
          {snippets.map(({ label }) => (
            <Tabs.Tab key={label} value={label}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {snippets.map(({ label, text }) => (
          <Tabs.Panel key={label} value={label}>
            <CodeBlock text={text} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </section>
  );
}
