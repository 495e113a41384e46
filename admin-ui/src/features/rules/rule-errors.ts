/** Where in a rule the server found something wrong. */
import type { ValidateRuleResponse } from '@/api/types';

export interface RuleProblem {
  message: string;
  /** Zero-based, in characters (not UTF-16 units), where known. */
  position: number | null;
}

export function problemsOf(answer: ValidateRuleResponse): RuleProblem[] {
  // `problems` say where; a server without them has texts only.
  const { problems, errors } = answer as { problems?: unknown[]; errors?: unknown[] };
  return (problems ?? errors ?? []).map((entry) => {
    if (typeof entry === 'string') return { message: entry, position: null };
    const { message, position } = entry as { message?: unknown; position?: unknown };
    return {
      message: typeof message === 'string' ? message : 'This rule is not valid.',
      position: typeof position === 'number' ? position : null,
    };
  });
}

/** The rule cut around the place of the problem: before, marked (never empty), after. */
export function cutAt(text: string, position: number): [string, string, string] {
  const at = Array.from(text).slice(0, Math.max(0, position)).join('').length;
  const word = /^[@\w.]+/.exec(text.slice(at))?.[0] ?? text.charAt(at);
  return [text.slice(0, at), word === '' ? ' ' : word, text.slice(at + word.length)];
}
