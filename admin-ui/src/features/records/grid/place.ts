import type { At } from './grid-keys';

/** The cell that an event happened in, by what it says of itself; null in the row's own tools and in an open editor. */
export function placeOf(target: EventTarget): At | null {
  const cell = target instanceof Element ? target.closest('[role="gridcell"]') : null;
  if (!cell || cell.hasAttribute('data-editing')) return null;
  const column = Number(cell.getAttribute('aria-colindex')) - 2;
  const row = Number(cell.parentElement?.closest('[role="row"]')?.getAttribute('aria-rowindex')) - 2;
  return column >= 0 && row >= 0 ? { row, column } : null;
}
