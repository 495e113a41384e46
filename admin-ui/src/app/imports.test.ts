import { describe, expect, it } from 'vitest';

const sources = import.meta.glob<string>('/src/**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });

/** The files of this project that a file imports; a dynamic import is left out, since it waits until both are there. */
function importsOf(path: string, text: string): string[] {
  const found = [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';/gms)].flatMap((match) => match[1] ?? []);
  return found.flatMap((name) => {
    const base = name.startsWith('@/') ? `/src/${name.slice(2)}` : name.startsWith('.') ? new URL(name, `file://${path}`).pathname : null;
    return base === null ? [] : ([base, `${base}.ts`, `${base}.tsx`].find((candidate) => candidate in sources) ?? []);
  });
}

/** A way through the files that ends where it began, or null. */
function circle(graph: Map<string, string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (path: string, way: string[]): string[] | null => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of graph.get(path) ?? []) {
      const found = visit(next, [...way, path]);
      if (found) return found;
    }
    done.add(path);
    return null;
  };
  for (const path of graph.keys()) {
    const found = visit(path, []);
    if (found) return found;
  }
  return null;
}

describe('imports', () => {
  it('go in no circles', () => {
    const graph = new Map(Object.entries(sources).map(([path, text]) => [path, importsOf(path, text)]));
    expect([...graph.values()].flat().length).toBeGreaterThan(500);
    expect(circle(graph)).toBeNull();
  });
});
