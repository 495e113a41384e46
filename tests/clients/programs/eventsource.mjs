// EventSource, of the package or the runtime that is named.

import { handle, report, stream } from './report.mjs';

const name = process.argv[2];
const load = async () => {
  if (name === 'global') return globalThis.EventSource;
  if (name !== 'reconnecting-eventsource') return (await import(name)).EventSource;
  ({ EventSource: globalThis.EventSource } = await import('eventsource4'));
  globalThis.window = globalThis;
  const { default: module } = await import('reconnecting-eventsource');
  return module.default ?? module;
};
const EventSource = await load();
const source = new EventSource(stream(true));
source.onmessage = ({ data }) => handle(data);
source.onerror = (event) => {
  if (source.readyState === 2) report({ end: `closed ${event?.code ?? ''}`.trim() });
};
setInterval(() => undefined, 1_000);
