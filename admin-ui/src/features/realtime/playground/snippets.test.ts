import { describe, expect, it } from 'vitest';
import { snippetsOf } from './snippets';

const texts = (wish: Parameters<typeof snippetsOf>[1]) => snippetsOf('http://localhost:8000', wish).map((snippet) => snippet.text);

describe('snippets of a subscription', () => {
  it('say what the SDK cannot ask for', () => {
    expect(texts({ collection: 'posts' })[0]).not.toContain('snackbase-realtime');
    expect(texts({ collection: 'posts', filter: "title = 'a'" })[0]).toContain('see snackbase-realtime');
  });
  it('carry the whole wish', () => {
    const [sdk, client, raw, curl] = texts({ collection: 'posts', operations: 'create', filter: "title = 'a'", ref: 'x' });
    expect(sdk).toContain("subscribe('posts', ['create'])");
    expect(client).toContain(String.raw`{ operations: ['create'], filter: 'title = \'a\'' }`);
    for (const part of ["action: 'subscribe'", "ref: 'x'", "operations: ['create']", String.raw`filter: 'title = \'a\''`]) expect(raw).toContain(part);
    expect(raw).toContain('ws://localhost:8000/api/v1/realtime/ws?ticket=');
    expect(curl).toContain(String.raw`--data-urlencode 'filter=title = '\''a'\'''`);
  });
});
