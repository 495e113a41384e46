/** Where the collections stand on the map: those that others refer to on the right of them. */
import type { CollectionListItem } from '@/api/types';
import { targetOf } from '@/features/field-types/registry';

export interface Relation {
  field: string;
  target: string;
}

export interface Card {
  name: string;
  records: number;
  fields: number;
  relations: Relation[];
  x: number;
  y: number;
  height: number;
}

export interface Line {
  key: string;
  from: { x: number; y: number };
  to: { x: number; y: number };
}

/** In pixels. */
export const CARD_WIDTH = 216;
const HEAD_HEIGHT = 44;
const ROW_HEIGHT = 24;
const PADDING = 8;
const COLUMN_GAP = 96;
const ROW_GAP = 20;
/** Cards without relations are arranged in columns of about this height. */
const COLUMN_HEIGHT = 560;

type Input = Pick<CollectionListItem, 'name' | 'schema' | 'record_count' | 'field_count'>;

/** How many references lead on from a collection at most; circles are cut where they close. */
function depths(relations: ReadonlyMap<string, Relation[]>): Map<string, number> {
  const depth = new Map<string, number>();
  const visit = (name: string, way: readonly string[]): number => {
    const known = depth.get(name);
    if (known !== undefined) return known;
    const next = (relations.get(name) ?? []).filter(({ target }) => !way.includes(target) && target !== name);
    const found = next.length === 0 ? 0 : 1 + Math.max(...next.map(({ target }) => visit(target, [...way, name])));
    depth.set(name, found);
    return found;
  };
  for (const name of relations.keys()) visit(name, []);
  return depth;
}

export function layoutOf(collections: readonly Input[]): { cards: Card[]; lines: Line[]; width: number; height: number } {
  const names = new Set(collections.map(({ name }) => name));
  const relations = new Map(
    collections.map(({ name, schema }) => [
      name,
      schema.flatMap((field) => {
        const target = targetOf(field);
        return target !== null && names.has(target) ? [{ field: field.name, target }] : [];
      }),
    ]),
  );
  const depth = depths(relations);
  const referred = new Set([...relations.values()].flat().map(({ target }) => target));
  const alone = (name: string) => !referred.has(name) && relations.get(name)?.length === 0;
  const deepest = Math.max(0, ...depth.values());
  const columns: Input[][] = Array.from({ length: deepest + 1 }, () => []);
  for (const collection of collections) if (!alone(collection.name)) columns[deepest - (depth.get(collection.name) ?? 0)]?.push(collection);
  const connected = columns.filter((column) => column.length > 0);
  const cards: Card[] = [];
  let x = 0;
  const place = (column: readonly Input[]) => {
    let y = 0;
    for (const { name, record_count, field_count } of column) {
      const own = relations.get(name) ?? [];
      const height = HEAD_HEIGHT + (own.length === 0 ? 0 : own.length * ROW_HEIGHT + PADDING);
      if (y > 0 && y + height > COLUMN_HEIGHT && own.length === 0 && alone(name)) {
        x += CARD_WIDTH + ROW_GAP;
        y = 0;
      }
      cards.push({ name, records: record_count, fields: field_count, relations: own, x, y, height });
      y += height + ROW_GAP;
    }
    x += CARD_WIDTH + COLUMN_GAP;
  };
  for (const column of connected) place(column);
  const lonely = collections.filter(({ name }) => alone(name));
  if (lonely.length > 0) place(lonely);
  const byName = new Map(cards.map((card) => [card.name, card]));
  const lines = cards.flatMap((card) =>
    card.relations.flatMap(({ field, target }, index) => {
      const to = byName.get(target);
      if (!to) return [];
      const from = { x: card.x + CARD_WIDTH, y: card.y + HEAD_HEIGHT + index * ROW_HEIGHT + ROW_HEIGHT / 2 };
      return [{ key: `${card.name}.${field}`, from, to: { x: to.x > card.x ? to.x : to.x + CARD_WIDTH, y: to.y + HEAD_HEIGHT / 2 } }];
    }),
  );
  const width = Math.max(0, ...cards.map((card) => card.x + CARD_WIDTH));
  const height = Math.max(0, ...cards.map((card) => card.y + card.height));
  return { cards, lines, width, height };
}
