/** The same subscription as one would write it in a program. */
import { literal, script, shell } from '@/ui/quote';
import { isPlain, messageOf, queryOf, type Wish } from './wish';

export interface Snippet {
  label: string;
  text: string;
}

function sdk(origin: string, wish: Wish): string {
  const collection = script(wish.collection);
  const operations = messageOf(wish).operations;
  const remark = isPlain(wish) ? '' : '// The SDK asks for a collection and operations; for the rest see snackbase-realtime.\n';
  return `${remark}import { SnackBaseClient } from '@snackbase/sdk';

const client = new SnackBaseClient({ baseUrl: ${script(origin)} });
await client.login({ account, email, password });

await client.realtime.connect();
await client.realtime.subscribe(${collection}${operations === undefined ? '' : `, ${literal(operations)}`});
client.realtime.on(${script(`${wish.collection}.*`)}, (data) => console.log(data));`;
}

function client(origin: string, wish: Wish): string {
  // The client gives references and the action itself.
  const options = Object.fromEntries(Object.entries(messageOf(wish)).filter(([name]) => !['action', 'ref', 'collection'].includes(name)));
  const snapshot = wish.snapshot ? '\n  snapshot: (items) => console.log(items),' : '';
  return `import { RealtimeClient } from 'snackbase-realtime';

const realtime = new RealtimeClient({ url: ${script(origin)}, token: () => session.token });

const subscription = realtime.subscribe(${script(wish.collection)}, ${literal(options)}, {
  event: ({ operation, id, data }) => console.log(operation, id, data),${snapshot}
  resync: (reason) => console.log('fetch again:', reason),
  error: (error) => console.error(error.code, error.message),
});`;
}

function raw(origin: string, wish: Wish): string {
  return `const { ticket } = await fetch(${script(`${origin}/api/v1/realtime/ticket`)}, {
  method: 'POST',
  headers: { authorization: \`Bearer \${token}\` },
}).then((answer) => answer.json());

const socket = new WebSocket(\`${origin.replace(/^http/, 'ws')}/api/v1/realtime/ws?ticket=\${ticket}\`);
socket.onopen = () => socket.send(JSON.stringify(${literal(messageOf(wish))}));
socket.onmessage = ({ data }) => console.log(JSON.parse(data));`;
}

function curl(origin: string, wish: Wish): string {
  const lines = [`curl -sSN -G ${shell(`${origin}/api/v1/realtime/subscribe`)}`, '-H "Authorization: Bearer $TOKEN"'];
  for (const [name, value] of queryOf(wish)) lines.push(`--data-urlencode ${shell(`${name}=${value}`)}`);
  return lines.join(' \\\n  ');
}

export function snippetsOf(origin: string, wish: Wish): Snippet[] {
  return [
    { label: 'JavaScript SDK', text: sdk(origin, wish) },
    { label: 'snackbase-realtime', text: client(origin, wish) },
    { label: 'WebSocket', text: raw(origin, wish) },
    { label: 'curl', text: curl(origin, wish) },
  ];
}
