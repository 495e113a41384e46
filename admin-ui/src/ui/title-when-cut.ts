import type { MouseEvent } from 'react';

/** Whatever is cut off says all of it when it is pointed at. For an element around cells that cut their text. */
export function titleWhenCut(event: MouseEvent<HTMLElement>): void {
  const cell = event.target instanceof Element ? event.target.closest<HTMLElement>('td, [role="gridcell"], .ellipsis') : null;
  if (!cell || cell.querySelector('[title]')) return;
  const text = cell.scrollWidth > cell.clientWidth ? cell.textContent : '';
  if (cell.title !== text) cell.title = text;
}
