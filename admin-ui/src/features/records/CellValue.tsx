import { exactTime, formatNumber, relativeTime, shortId } from '@/ui/format';
import classes from './grid/grid.module.css';

/** One value in the grid: short, never more than a line; the whole of it on hover. Thousands are drawn while scrolling, so nothing here is costly. */
export function CellValue({ kind, value }: { kind: string; value: unknown }) {
  if (value === null || value === undefined) return <Faint>null</Faint>;
  if (typeof value === 'string') {
    if (value === '') return <Faint>empty</Faint>;
    if (kind === 'id' || kind === 'reference') return <span className="mono" title={value}>{shortId(value)}</span>;
    if (kind === 'instant') return <time dateTime={value} title={`${exactTime(value)} (${value})`}>{relativeTime(value)}</time>;
    if (kind === 'datetime') return <time dateTime={value} className="tabular" title={value}>{exactTime(value)}</time>;
    return <span title={value.length > 24 ? value.slice(0, 2000) : undefined}>{value.slice(0, 400)}</span>;
  }
  if (typeof value === 'number') return <>{kind === 'number' ? formatExact(value) : value}</>;
  if (typeof value === 'boolean') return <>{value ? 'true' : 'false'}</>;
  if (kind === 'file') return <>{fileName(value)}</>;
  return <span className="mono">{JSON.stringify(value).slice(0, 400)}</span>;
}

function Faint({ children }: { children: string }) {
  return (
    <span className={classes.faint}>{children}</span>
  );
}

/** Grouped digits, but never rounded: the table is where people check what is stored. */
function formatExact(value: number): string {
  const text = String(value);
  const [whole = '', ...rest] = text.split('.');
  if (Math.abs(value) < 1_000 || !/^-?\d+$/.test(whole)) return text;
  return [formatNumber(Math.trunc(value)), ...rest].join('.');
}

function fileName(value: unknown): string {
  const name = (value as { filename?: unknown }).filename;
  return typeof name === 'string' ? name : JSON.stringify(value);
}
