// Serves a built UI in front of a server that was built without one, with the headers of that server; so the UI can be walked
// through without building the server anew.
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

async function file(folder, path) {
  const asset = normalize(path.slice('/admin/'.length));
  const name = asset.startsWith('assets/') || asset === 'favicon.svg' ? asset : 'index.html';
  return { name, data: await readFile(join(folder, name)) };
}

/** Resolves to what `startServer` needs: the address of the front and a way to end it. */
export async function startFront(folder, backend) {
  const page = await fetch(`${backend}/admin/`);
  const policy = page.headers.get('content-security-policy');
  const { hostname, port } = new URL(backend);
  const front = createServer((from, to) => {
    const path = new URL(from.url, backend).pathname;
    if (path.startsWith('/admin')) {
      file(folder, path).then(
        ({ name, data }) => to.writeHead(200, { 'content-type': TYPES[extname(name)], 'content-security-policy': policy }).end(data),
        () => to.writeHead(404).end(),
      );
      return;
    }
    const onward = request({ hostname, port, path: from.url, method: from.method, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    from.pipe(onward);
  });
  front.on('upgrade', (from, socket, head) => {
    const onward = connect(Number(port), hostname, () => {
      const headers = Object.entries(from.headers).map(([name, value]) => `${name}: ${value}`);
      onward.write(`GET ${from.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${front.address().port}`,
    stop: () => {
      front.closeAllConnections();
      front.close();
    },
  };
}
