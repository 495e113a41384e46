// Looks at the page with axe-core: the rules of WCAG A and AA, in light and in dark.
import { readFile } from 'node:fs/promises';

const source = await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

async function violations(page) {
  // `evaluate` goes past the content security policy, which keeps scripts out of the page itself.
  await page.evaluate(source);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'], resultTypes: ['violations'] }),
  );
  return found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
}

/** What a page has that keeps people out, as sentences; empty is good. */
export async function accessProblems(page) {
  const problems = [];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForFunction((scheme) => document.documentElement.dataset.mantineColorScheme === scheme, colorScheme);
    await page.waitForTimeout(100);
    for (const { id, help, nodes } of await violations(page)) {
      const where = nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`);
      problems.push(`${new URL(page.url()).pathname} (${colorScheme}) ${id}: ${help}: ${where.join(' | ')}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  return problems;
}
