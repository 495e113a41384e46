import { CodeBlock } from './CodeBlock';

export function JsonBlock({ value, maxHeight }: { value: unknown; maxHeight?: number }) {
  return <CodeBlock text={JSON.stringify(value, null, 2)} what="JSON" wrap maxHeight={maxHeight} />;
}
