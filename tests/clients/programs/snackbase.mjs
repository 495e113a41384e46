// snackbase-js, which signs in by itself, with the WebSocket of the runtime if it has one.

import * as ws from 'ws';
import { SnackBase } from '../../../clients/js/dist/index.js';
import { collection, report, url } from './report.mjs';

const client = new SnackBase(url, { WebSocket: globalThis.WebSocket ?? ws.WebSocket });
client.auth.onChange((_user, event) => event === 'expired' && report({ end: 'expired' }));
await client.auth.signIn(JSON.parse(process.env.CREDENTIALS));
client.collection(collection).subscribe({}, { event: ({ data }) => report({ event: data.title }) });
setInterval(() => undefined, 1_000);
