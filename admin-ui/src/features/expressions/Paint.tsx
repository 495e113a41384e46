import type { RuleProblem } from '@/api/types';
import classes from './expression.module.css';
import { lex } from './lexer';
import { stretchOf } from './problems';

/** The coloured text; what is wrong is underlined. */
export function Paint({ text, problems }: { text: string; problems: RuleProblem[] }) {
  const wrong = problems.map((problem) => stretchOf(text, problem.position));
  const marked = (from: number, to: number) => wrong.some((stretch) => stretch.from < to && stretch.to > from);
  return (
    <pre className={classes.paint} aria-hidden>
      {lex(text).map(({ kind, text: part, start }) => {
        const names = [classes[kind], marked(start, start + part.length) ? classes.wrong : ''].filter(Boolean).join(' ');
        return names === '' ? part : <span key={start} className={names}>{part}</span>;
      })}
      {/* A problem behind the end, and a last line that is empty, need something to stand on. */}
      <span className={marked(text.length, text.length + 1) ? classes.wrong : undefined}>{'\u200b '}</span>
    </pre>
  );
}
