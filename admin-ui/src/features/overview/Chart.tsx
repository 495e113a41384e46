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

/** What a part of a bar stands for, and its colour. */
export interface Series {
  name: string;
  tone: 'main' | 'soft' | 'warning' | 'danger';
}

interface Props {
  title: string;
  /** What it comes to, in a few words. */
  summary?: string;
  /** One for each part. */
  series: Series[];
  bars: Bar[];
  format: (value: number) => string;
  /** The scale reaches at least so far: few things have whole numbers at its lines. */
  least?: number;
  /** 1024 for bytes. */
  base?: number;
}

const HEIGHT = 112;

/** Stacked bars over time. The values under the pointer or the arrow keys are said in words. */
export function Chart({ title, summary, series, bars, format, least, base }: Props) {
  const { ref, width } = useElementSize();
  const [chosen, setChosen] = useState<number | null>(null);
  const bar = chosen === null ? undefined : bars[chosen];
  const words = bar && `${bar.label}: ${bar.parts.map((part, index) => `${series[index]?.name ?? ''} ${format(part)}`).join(', ')}`;
  const move = (by: number) => setChosen((now) => Math.min(bars.length - 1, Math.max(0, (now ?? bars.length) + by)));
  return (
    <figure className={classes.root} aria-label={title}>
      <figcaption className={classes.caption}>
        <span className={classes.head}>
          <Text span fw={500}>
            {title}
          </Text>
          <Text span c={bar ? 'dimmed' : undefined} className="tabular ellipsis">
            {bar ? bar.label : summary}
          </Text>
        </span>
        <span className={classes.legend}>
          {series.map(({ name, tone }, index) => (
            <span key={name} className={classes.key}>
              <span className={classes.swatch} data-tone={tone} aria-hidden />
              {name}
              {bar && <b className="tabular">{format(bar.parts[index] ?? 0)}</b>}
            </span>
          ))}
        </span>
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
        aria-valuetext={words ?? 'latest'}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') move(-1);
          if (event.key === 'ArrowRight') move(1);
        }}
        onPointerMove={(event) => setChosen(barAt(event.clientX - event.currentTarget.getBoundingClientRect().left, width, bars.length))}
        onPointerLeave={() => setChosen(null)}
        onBlur={() => setChosen(null)}
      >
        <Plot {...{ series, bars, format, least, base, width, chosen }} />
      </div>
    </figure>
  );
}

interface PlotProps extends Pick<Props, 'series' | 'bars' | 'format' | 'least' | 'base'> {
  width: number;
  chosen: number | null;
}

function Plot({ series, bars, format, least, base, width, chosen }: PlotProps) {
  const top = highest(bars.map((bar) => bar.parts), least);
  const step = bars.length > 0 ? width / bars.length : 0;
  const y = (value: number) => HEIGHT - (value / top) * HEIGHT;
  return (
    <svg width={width} height={HEIGHT} aria-hidden>
      {bars.map(({ label, parts }, index) => (
        <g key={label} opacity={chosen === null || chosen === index ? 1 : 0.45}>
          {parts.map((part, place) => {
            const below = parts.slice(0, place).reduce((sum, value) => sum + value, 0);
            const height = (part / top) * HEIGHT;
            return (
              <rect key={place} className={classes.part} data-tone={series[place]?.tone} x={index * step} width={Math.max(1, step - 1)} y={y(below) - height} height={height} />
            );
          })}
        </g>
      ))}
      {ticks(top, base).map((value) => (
        <g key={value}>
          <line x1={0} x2={width} y1={y(value)} y2={y(value)} className={classes.line} />
          <text x={2} y={y(value) + 12} className={classes.tick}>
            {format(value)}
          </text>
        </g>
      ))}
    </svg>
  );
}
