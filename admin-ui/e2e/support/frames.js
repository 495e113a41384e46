// How long the browser took from one drawn frame to the next, from its own trace.

const CATEGORIES = ['-*', 'devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'disabled-by-default-devtools.timeline'];

function quantile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Milliseconds between frames while `work` goes on, and the longest task of the page's own thread. */
export async function frameTimes(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: CATEGORIES });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const drawn = traceEvents.filter(({ name }) => name === 'DrawFrame').map(({ ts }) => ts / 1000);
  drawn.sort((a, b) => a - b);
  const times = drawn.slice(1).map((at, index) => at - drawn[index]);
  times.sort((a, b) => a - b);
  const tasks = traceEvents.filter(({ name, dur }) => name === 'RunTask' && dur > 0).map(({ dur }) => dur / 1000);
  return { frames: times.length, p50: quantile(times, 0.5), p95: quantile(times, 0.95), max: times.at(-1) ?? 0, longestTask: Math.max(0, ...tasks) };
}
