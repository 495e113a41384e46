/** Where in an expression the server found something wrong. */
import type { RuleProblem } from '@/api/types';

/** Positions count characters; the browser counts UTF-16 units. */
export function unitOf(text: string, position: number): number {
  return Array.from(text).slice(0, Math.max(0, position)).join('').length;
}

/** The stretch that a problem is about, never empty, so that it can be marked. */
export function stretchOf(text: string, position: number): { from: number; to: number } {
  const from = unitOf(text, position);
  const word = /^[@\w.]+/.exec(text.slice(from))?.[0] ?? Array.from(text.slice(from))[0] ?? '';
  return { from, to: from + Math.max(1, word.length) };
}

/** A refused filter says where in its message only: `… (at position 9)`. */
export function problemIn(message: string): RuleProblem {
  const match = /^(.*?)\s*\(?at position (\d+)\)?\.?$/s.exec(message);
  return match ? { message: match[1] ?? message, position: Number(match[2]) } : { message, position: 0 };
}
