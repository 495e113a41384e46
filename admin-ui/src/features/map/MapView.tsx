import { Link } from '@tanstack/react-router';
import type { CollectionListItem } from '@/api/types';
import { plural } from '@/ui/format';
import { CARD_WIDTH, layoutOf, type Line } from './layout';
import classes from './map.module.css';

/** Collections as cards, references as arrows. */
export function MapView({ collections }: { collections: CollectionListItem[] }) {
  const { cards, lines, width, height } = layoutOf(collections);
  return (
    <div className={classes.scroller} role="region" aria-label="Map of collections" tabIndex={0}>
      <div className={classes.canvas} style={{ width, height }}>
        <svg width={width} height={height} aria-hidden className={classes.lines}>
          <defs>
            <marker id="map-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
              <path d="M0 0 8 4 0 8z" />
            </marker>
          </defs>
          {lines.map((line) => (
            <path key={line.key} d={curve(line)} markerEnd="url(#map-arrow)" />
          ))}
        </svg>
        {cards.map(({ name, x, y, height: cardHeight, records, fields, relations }) => (
          <section key={name} className={classes.card} style={{ left: x, top: y, width: CARD_WIDTH, height: cardHeight }} aria-label={name}>
            <Link to="/collections/$name/records" params={{ name }} className={classes.name} title={name}>
              <span className="mono ellipsis">{name}</span>
              <small>
                {plural(records, 'record')}, {plural(fields, 'field')}
              </small>
            </Link>
            {relations.length > 0 && (
              <ul>
                {relations.map(({ field, target }) => (
                  <li key={field} className="ellipsis" title={`${field} refers to ${target}`}>
                    <span className="mono">{field}</span> → {target}
                  </li>
                ))}
              </ul>
            )}
          </section>
        ))}
      </div>
    </div>
  );
}

function curve({ from, to }: Line): string {
  // To the left, and to itself, the line leaves and arrives on the same side.
  const bend = Math.max(40, Math.abs(to.x - from.x) / 2);
  const arrival = to.x > from.x ? to.x - bend : to.x + bend;
  return `M${from.x} ${from.y} C${from.x + bend} ${from.y} ${arrival} ${to.y} ${to.x} ${to.y}`;
}
