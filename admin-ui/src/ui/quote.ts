/** Text as it has to be written in other languages. */

export const shell = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export const script = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;

/** JSON as one would write it in a program: names without quotes where they need none. */
export function literal(value: unknown, indent = ''): string {
  if (typeof value === 'string') return script(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const deeper = `${indent}  `;
  const entries = Array.isArray(value)
    ? value.map((item) => literal(item, deeper))
    : Object.entries(value).map(([name, item]) => `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : script(name)}: ${literal(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{ ', ' }'];
  if (entries.length === 0) return open.trim() + close.trim();
  const line = `${open}${entries.join(', ')}${close}`;
  if (line.length + indent.length <= 90 && !line.includes('\n')) return line;
  return `${open.trim()}\n${entries.map((entry) => `${deeper}${entry},`).join('\n')}\n${indent}${close.trim()}`;
}
