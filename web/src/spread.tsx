// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// How the times of several hops are spread: a line of bars each, below the last one the axis that all share,
// in powers of ten. A table says the same to who can't see them.
import type { Box } from './cells';
import { Pointed } from './cells';
import { duration } from './format';
import type { Table } from './model';
import { css, font, scale } from './palette';
import type { Row } from './protocol';

const [NAMES, AXIS_HIGH, GAP] = [76, 20, 5]; // CSS pixels, where text has its usual size
const BEFORE = 0.15; // of a power of ten: the place of 0
export const MARKS: [field: string, color: string][] = [['median', 'green'], ['p99', 'orange'], ['max', 'vermilion']];

/** Of the table "distribution" a row, as numbers; high is where the next one would begin. */
export interface Bin {
  low: number;
  high: number;
  count: number;
  share: number;
}

export interface Hop {
  name: string;
  doc?: string;
  count: number;
  bins: Bin[]; // upwards
  marks: [color: string, ns: number][];
}

/** Those of one line. hops: rows of the table "hops" that are its. */
export function hopsOf(hops: Table, rows: Row[], distribution: Table, doc: (hop: string) => string | undefined): Hop[] {
  return rows.map((row) => {
    const same = (r: Row) => ['irq', 'name', 'hop'].every((c) => distribution.get(r, c) === hops.get(row, c));
    const bins = distribution.list().filter(same).map((r) => {
      const low = distribution.num(r, 'low');
      return { low, high: distribution.num(r, 'high') || low * 2, count: distribution.num(r, 'count'), share: distribution.num(r, 'share') };
    });
    const name = hops.text(row, 'hop');
    return {
      name,
      doc: doc(name),
      count: hops.num(row, 'count'),
      bins: bins.sort((a, b) => a.low - b.low),
      marks: MARKS.map(([field, color]) => [color, hops.num(row, field)]),
    };
  });
}

/** Where the shortest time that is not 0 begins, and the longest ends. */
function ends(hops: Hop[]): [number, number] {
  const bins = hops.flatMap((h) => h.bins);
  const least = bins.reduce((least, b) => (b.low ? Math.min(least, b.low) : least), Infinity);
  const most = bins.reduce((most, b) => Math.max(most, b.high), 1);
  return [Math.min(least, most), most];
}

/** From 0 to 1, logarithmic. What took no time at all stands before the shortest that took some. */
export function scaleOf(hops: Hop[]): (ns: number) => number {
  const [least, most] = ends(hops);
  const before = hops.some((h) => h.bins.some((b) => !b.low)) ? BEFORE : 0;
  const all = before + Math.log10(Math.max(most, least * 2) / least);
  return (ns) => (ns >= least ? (before + Math.log10(ns / least)) / all : ns ? (0.8 * before) / all : 0);
}

/** Powers of ten between the ends. */
export function ticksOf(hops: Hop[]): number[] {
  const [least, most] = ends(hops);
  const out = [];
  for (let ns = 1; ns <= most; ns *= 10) if (ns >= least) out.push(ns);
  return out;
}

/** For names, and for the axis. */
function room(): [number, number] {
  return [NAMES * scale(), AXIS_HIGH * scale()];
}

function draw(g: CanvasRenderingContext2D, hops: Hop[], w: number, h: number): void {
  const [LEFT, AXIS] = room();
  const x = scaleOf(hops);
  const at = (ns: number) => LEFT + x(ns) * (w - LEFT - 1);
  const high = (h - AXIS) / hops.length;
  const small = font(11);
  g.textBaseline = 'alphabetic';
  g.font = small;
  g.textAlign = 'center';
  let free = 0;
  for (const ns of ticksOf(hops)) {
    const px = Math.round(at(ns)) + 0.5;
    g.strokeStyle = css('line');
    g.beginPath();
    g.moveTo(px, 0);
    g.lineTo(px, h - AXIS + 4);
    g.stroke();
    const text = tick(ns);
    const half = g.measureText(text).width / 2;
    const middle = Math.min(w - half, Math.max(LEFT + half, px));
    if (middle - half < free) continue;
    free = middle + half + 8;
    g.fillStyle = css('dim');
    g.fillText(text, middle, h - 4);
  }
  hops.forEach((hop, i) => {
    const [top, floor] = [i * high + GAP, Math.round((i + 1) * high)];
    const most = Math.max(1, ...hop.bins.map((b) => b.count));
    g.fillStyle = css('blue');
    for (const b of hop.bins) {
      const tall = Math.max(1, (b.count / most) * (floor - top));
      g.fillRect(at(b.low), floor - tall, Math.max(2, at(b.high) - at(b.low) - 1), tall);
    }
    g.strokeStyle = css('unknown');
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(LEFT, floor + 0.5);
    g.lineTo(w, floor + 0.5);
    g.stroke();
    for (const [color, ns] of hop.marks) {
      g.fillStyle = css('panel');
      g.fillRect(at(ns) - 2, top - 2, 4, floor - top + 2);
      g.fillStyle = css(color);
      g.fillRect(at(ns) - 1, top - 2, 2, floor - top + 2);
    }
    g.textAlign = 'right';
    g.fillStyle = css('ink');
    g.font = font(11, '600');
    g.fillText(hop.name, LEFT - 8, floor - (high > 28 * scale() ? 13 * scale() : 4));
    g.font = small;
    g.fillStyle = css('dim');
    if (high > 28 * scale()) g.fillText(`up to ${most}`, LEFT - 8, floor - 1);
  });
}

function tick(ns: number): string {
  return duration(ns).replace(/\.0+ /, ' ');
}

function range(b: Bin): string {
  return b.low ? `${duration(b.low)} to ${duration(b.high)}` : `less than ${duration(b.high)}`;
}

export function Spread({ hops, table }: { hops: Hop[]; table: Table }) {
  const all = hops.flatMap((hop, line) => hop.bins.map((bin) => ({ hop, line, bin })));
  if (!all.length) return null;
  const x = scaleOf(hops);
  const place = (w: number, h: number): Box[] => {
    const [LEFT, AXIS] = room();
    const high = (h - AXIS) / hops.length;
    return all.map(({ line, bin }) => {
      const from = LEFT + x(bin.low) * (w - LEFT - 1);
      return { x: from, y: line * high, w: Math.max(2, LEFT + x(bin.high) * (w - LEFT - 1) - from), h: high };
    });
  };
  const heads: [field: string, title: string][] = [['hop', 'hop'], ['low', 'from'], ['high', 'up to'], ['count', 'count'], ['share', 'share']];
  return (
    <>
      <Pointed
        class="spread"
        label={`How the times of ${hops.length} hops are spread: ${hops.map((h) => h.name).join(', ')}. The table that follows says the same. Arrow keys go from bar to bar.`}
        n={all.length}
        height={`calc(${hops.length} * clamp(24px, 3.4vh, 60px) + ${AXIS_HIGH / 13}rem)`}
        place={place}
        draw={(g, _, w, h) => draw(g, hops, w, h)}
        describe={(i) => {
          const { hop, bin } = all[i];
          return `${hop.name}: ${range(bin)}: ${bin.count} of ${hop.count} (${bin.share.toFixed(1)} %)`;
        }}
        hint="How many took so long, each hop by its own scale; lines: median, p99, max."
      />
      <table class="spoken" aria-label="Distribution of the hops">
        <thead>
          <tr>
            {heads.map(([field, title]) => (
              <th scope="col" title={table.column(field)?.doc}>{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map(({ hop, bin }) => (
            <tr key={`${hop.name} ${bin.low}`}>
              <td data-column="hop">{hop.name}</td>
              <td data-column="low">{duration(bin.low)}</td>
              <td data-column="high">{duration(bin.high)}</td>
              <td data-column="count">{bin.count}</td>
              <td data-column="share">{`${bin.share.toFixed(1)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
