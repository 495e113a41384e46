import { Fragment } from 'react';

/** A sentence of the document, with what stands between backquotes as code. */
export function Inline({ text }: { text: string }) {
  return text.split('`').map((part, index) => (
    <Fragment key={index}>{index % 2 === 1 ? <code className="mono">{part}</code> : part}</Fragment>
  ));
}
