import { Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import classes from './Chart.module.css';
import { barAt, highest, ticks } from './chart-math';

export interface Bar {
  /** When, as it is read out. */
  label: string;
  /** The parts of the bar, from the bottom. */
  parts: number[];
}

interface Props {
  title: string;
  /** One name for each part; its index chooses the colour. */
  names: string[];
  bars: Bar[];
  format: (value: number) => string;
}

const HEIGHT = 120;
const COLORS = ['var(--sb-chart-1)', 'var(--sb-chart-2)', 'var(--sb-chart-3)'];

/** Stacked bars over time. The values under the pointer or the arrow keys are said in words. */
export function Chart({ title, names, bars, format }: Props) {
  const { ref, width } = useElementSize();
  const [chosen, setChosen] = useState<number | null>(null);
  const top = highest(bars.map((bar) => bar.parts));
  const step = bars.length > 0 ? width / bars.length : 0;
  const bar = chosen === null ? undefined : bars[chosen];
  const move = (by: number) => setChosen((now) => Math.min(bars.length - 1, Math.max(0, (now ?? bars.length) + by)));
  return (
    <figure className={classes.root} aria-label={title}>
      <figcaption className={classes.caption}>
        <Text fw={500}>{title}</Text>
        <Text fz="sm" c="dimmed" className="tabular" aria-live="polite">
          {bar ? `${bar.label}: ${bar.parts.map((part, index) => `${names[index] ?? ''} ${format(part)}`).join(', ')}` : names.join(' · ')}
        </Text>
      </figcaption>
      <div
        ref={ref}
        className={classes.plot}
        style={{ height: HEIGHT }}
        tabIndex={0}
        role="slider"
        aria-label={`${title}, by time`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, bars.length - 1)}
        aria-valuenow={chosen ?? Math.max(0, bars.length - 1)}
        aria-valuetext={bar ? `${bar.label}: ${bar.parts.map((part, index) => `${names[index] ?? ''} ${format(part)}`).join(', ')}` : 'latest'}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') move(-1);
          if (event.key === 'ArrowRight') move(1);
        }}
        onPointerMove={(event) => setChosen(barAt(event.clientX - event.currentTarget.getBoundingClientRect().left, width, bars.length))}
        onPointerLeave={() => setChosen(null)}
        onBlur={() => setChosen(null)}
      >
        <svg width={width} height={HEIGHT} aria-hidden>
          {ticks(top).map((value) => (
            <g key={value}>
              <line x1={0} x2={width} y1={HEIGHT - (value / top) * HEIGHT} y2={HEIGHT - (value / top) * HEIGHT} className={classes.line} />
              <text x={2} y={HEIGHT - (value / top) * HEIGHT - 3} className={classes.tick}>
                {format(value)}
              </text>
            </g>
          ))}
          {bars.map(({ label, parts }, index) => (
            <g key={label} opacity={chosen === null || chosen === index ? 1 : 0.5}>
              {parts.map((part, place) => {
                const below = parts.slice(0, place).reduce((sum, value) => sum + value, 0);
                const height = (part / top) * HEIGHT;
                return (
                  <rect
                    key={place}
                    x={index * step}
                    width={Math.max(1, step - 1)}
                    y={HEIGHT - (below / top) * HEIGHT - height}
                    height={height}
                    fill={COLORS[place]}
                  />
                );
              })}
            </g>
          ))}
        </svg>
      </div>
    </figure>
  );
}
