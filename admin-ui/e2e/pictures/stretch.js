// Makes the interface's own words as long as they get in German, for there is no translation of it yet.

const LABELS = 'button, a, label, th, h1, h2, h3, legend, summary, [role="tab"], [role="menuitem"], [role="option"], [role="columnheader"], dt, header, p, kbd';

/** Runs in the page: two fifths more letters for everything that is not somebody's data. */
function lengthen(labels) {
  const filler = 'erweiterungsverfahren';
  const walker = document.createTreeWalker(document.body, window.NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const words = text.data.trim();
    const parent = text.parentElement;
    if (words.length < 3 || !/[a-z]/i.test(words) || !parent?.closest(labels) || parent.closest('.mono, pre, code, [role="gridcell"], td, script, style')) continue;
    text.data = text.data.trimEnd() + filler.slice(0, Math.min(filler.length, Math.ceil(words.length * 0.4)));
  }
}

export function stretch(page) {
  return page.evaluate(lengthen, LABELS);
}
