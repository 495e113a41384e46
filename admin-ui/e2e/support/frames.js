// What drawing takes, from the browser's own trace: the time from one frame to the next, and what of it is the page's work.

const CATEGORIES = ['-*', 'devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'disabled-by-default-devtools.timeline'];

/** The events of the page's own thread, by what they are spent on. What is not named here is the browser's housekeeping. */
const KINDS = {
  script: ['FunctionCall', 'EvaluateScript', 'EventDispatch', 'TimerFire', 'FireAnimationFrame', 'RunMicrotasks', 'XHRReadyStateChange', 'MinorGC', 'MajorGC', 'V8.GC_SCAVENGER', 'v8.callFunction'],
  style: ['UpdateLayoutTree', 'RecalculateStyles', 'ScheduleStyleRecalculation'],
  layout: ['Layout', 'HitTest', 'IntersectionObserverController::computeIntersections'],
  paint: ['PrePaint', 'Paint', 'Layerize', 'Commit', 'CompositeLayers', 'UpdateLayer', 'UpdateLayerTree'],
};
const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind])));

function quantile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Milliseconds by kind, without what is nested in them and counts for itself. */
function spent(events) {
  const sums = { script: 0, style: 0, layout: 0, paint: 0 };
  const open = [];
  const close = (until) => {
    while (open.length > 0 && open.at(-1).end <= until) {
      const { kind, own } = open.pop();
      if (kind) sums[kind] += own / 1000;
    }
  };
  for (const { name, ts, dur } of events.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    close(ts);
    const parent = open.at(-1);
    if (parent) parent.own -= dur;
    open.push({ kind: KIND_OF.get(name), end: ts + dur, own: dur });
  }
  close(Infinity);
  return sums;
}

/** The thread that runs the page's scripts: no other one calls as many functions. */
function mainThread(events) {
  const counts = new Map();
  for (const { name, pid, tid } of events) {
    if (name === 'FunctionCall') counts.set(`${pid} ${tid}`, (counts.get(`${pid} ${tid}`) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** Milliseconds between frames while `work` goes on; for each frame the page's own work by kind, and drawing its pixels. */
export async function frameTimes(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: CATEGORIES });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const drawn = traceEvents.filter(({ name }) => name === 'DrawFrame').map(({ ts }) => ts / 1000);
  drawn.sort((a, b) => a - b);
  const times = drawn.slice(1).map((at, index) => at - drawn[index]);
  times.sort((a, b) => a - b);
  const complete = traceEvents.filter(({ ph, dur }) => ph === 'X' && dur > 0);
  const main = mainThread(complete);
  const own = spent(complete.filter(({ pid, tid }) => `${pid} ${tid}` === main));
  const raster = complete.filter(({ name }) => name === 'RasterTask').reduce((sum, { dur }) => sum + dur / 1000, 0);
  const frames = Math.max(1, times.length);
  const perFrame = Object.fromEntries(Object.entries({ ...own, raster }).map(([kind, sum]) => [kind, sum / frames]));
  const tasks = complete.filter(({ name }) => name === 'RunTask').map(({ dur }) => dur / 1000);
  return {
    frames: times.length,
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    max: times.at(-1) ?? 0,
    longestTask: Math.max(0, ...tasks),
    ...perFrame,
  };
}
