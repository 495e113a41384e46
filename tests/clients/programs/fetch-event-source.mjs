// @microsoft/fetch-event-source, with the browser's globals that it wants.

import { handle, report, stream, token } from './report.mjs';

globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener: () => undefined, removeEventListener: () => undefined };
const { fetchEventSource } = await import('@microsoft/fetch-event-source');
await fetchEventSource(stream(false), {
  headers: { Authorization: `Bearer ${token}` },
  onmessage: ({ data }) => handle(data),
  // Without an exception here, a stream that the server ends is over for good.
  onclose() {
    throw new Error('closed');
  },
  onerror(error) {
    if (/content-type/.test(error.message)) report({ end: 'error, goes on' });
  },
}).catch((error) => report({ end: error.message }));
