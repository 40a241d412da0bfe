// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Draws lanes and their headings, as pixels.
import { classInfo, mix, type Colors, type Pixel } from './colors';
import { columnsOf, mostOf, roundAbove, stretchOf, valueText } from './counter';
import { classOf, firstAfter, mergedOf, type LaneData } from './frame';
import type { Feed, Had } from './feed';
import { levelBox, levels, type Row } from './lanes';
import type { Masks, Raster } from './raster';
import type { Win } from './window';
import type { Lane } from '../protocol';

/** Sizes of the picture, points (screen.ts). */
export const OVERVIEW = 40; // the whole span, above
export const AXIS = 24; // below that
export const TOP = OVERVIEW + AXIS; // where lanes begin
const TEXT = 11;
const FITS = 26; // narrower than this there is no text in a slice

export interface Picture {
  raster: Raster;
  masks: Masks;
  colors: Colors;
  feed: Feed;
  win: Win;
  left: number; // width of the headings
  /** By number of a name: whether it is looked for; null: nothing is. */
  hits: Uint8Array | null;
  cursor: number | null; // the lane that keys are about
}

interface Label {
  x: number;
  w: number;
  name: number;
  ground: Pixel;
}

/** Of what is not known. part: how much of the ground shows through. */
function stripesOn(colors: Colors, ground: string, part: number): Pixel {
  return mix(colors.get('unknown'), colors.get(ground), part);
}

/** A part of a line; most are a pixel or two. */
function put(line: Uint32Array, c: Pixel, from: number, to: number): void {
  if (to - from > 8) line.fill(c, from, to);
  else for (let x = from; x < to; x++) line[x] = c;
}

/** One level of a lane: boxes as one line of pixels, copied down. */
function paintLevel(p: Picture, row: Row, data: Had, level: number, y: number, h: number, top: number): void {
  const { raster: r, colors, win, feed } = p;
  const lane = row.lane!;
  const s = r.scale;
  const x0 = Math.round(p.left * s);
  const per = (r.w - x0) / (win.to - win.from); // pixels a ns
  const base = x0 + (data.from - win.from) * per;
  const unit = data.unit * per;
  const ground = colors.get('panel');
  const last = levels(lane) - 1;
  const edge = Math.round(4 * s);
  const labels: Label[] = [];
  const hatched: [number, number][] = [];
  const classes = [0, 1, 2, 3, 4, 5, 6].map((n) => {
    const c = classInfo(lane.kind, n);
    return { ...c, pixel: c.color ? colors.get(c.color) : 0 };
  });
  const { line, line2 } = r;
  line.fill(ground);
  line2.fill(ground);
  let thin = false;
  const { start, duration, name, info } = data;
  const begin = data.rows[level] ?? data.n;
  const end = (level === last ? data.n : data.rows[level + 1]) ?? data.n;
  const first = level === last ? begin : Math.max(begin, firstAfter(data, (x0 - base) / unit, begin, end) - 1);
  for (let i = first; i < end; i++) {
    const a = base + start[i] * unit;
    if (a >= r.w) {
      if (level === last) continue; // deeper rows are drawn there, too
      break;
    }
    const b = a + duration[i] * unit;
    if (b < x0) continue;
    const from = Math.max(x0, Math.floor(a));
    const to = Math.min(r.w, Math.max(duration[i] ? Math.floor(a) + 1 : Math.floor(a) + 2, Math.floor(b)));
    if (to <= from) continue;
    const c = classes[Math.min(classOf(info[i]), 6)];
    if (c.hatched) {
      hatched.push([from, to]);
      continue;
    }
    const id = c.foreign ? 0 : name[i];
    let color = c.color ? c.pixel : colors.ofName(id, feed.names);
    if (mergedOf(info[i]) > 1) color = colors.pale(color);
    if (p.hits && !p.hits[id]) color = mix(color, ground, 0.75);
    put(line2, color, from, to);
    if (c.thin) {
      thin = true;
      put(line, ground, from, to);
    } else {
      put(line, color, from, to);
      if (to - from >= edge && to < r.w) {
        line[to - 1] = ground;
        line2[to - 1] = ground;
      }
      if (to - from > FITS * s && h >= 11) labels.push({ x: from, w: to - from, name: id, ground: color });
    }
  }
  const [py, ph] = [Math.round(y * s), Math.max(1, Math.round(h * s))];
  r.copy(r.line, x0, r.w, py, ph, top);
  if (thin) {
    const t = Math.max(1, Math.round(2 * s));
    r.copy(r.line2, x0, r.w, py + Math.round((ph - t) / 2), t, top);
  }
  const stripes = stripesOn(colors, 'panel', 0.35);
  for (const [from, to] of hatched) r.hatch(from, py, to - from, ph, stripes, top);
  for (const l of labels) {
    const text = feed.names[l.name];
    if (!text) continue;
    const pad = Math.round(4 * s);
    r.text(p.masks.get(text, TEXT), l.x + pad, py + ph / 2, l.w - pad - Math.round(2 * s), colors.on(l.ground), top);
  }
}

/** A counter: an area with steps, up to a round rate that none of those seen is above; that stands in the heading. */
function paintCounter(p: Picture, lane: Lane, data: Had, y: number, h: number, top: number): void {
  const { raster: r, masks, colors, win } = p;
  const s = r.scale;
  const x0 = Math.round(p.left * s);
  const per = (r.w - x0) / (win.to - win.from);
  const over = stretchOf(data);
  const seen = mostOf(lane, data, over, win);
  if (!seen) return;
  const most = roundAbove(seen, lane.unit);
  const high = columnsOf(lane, data, over, x0 + (data.from - win.from) * per, per, x0, r.w, most);
  const bottom = Math.round((y + h) * s);
  const edge = Math.max(1, Math.round(1.5 * s));
  const line = colors.get('blue');
  const area = mix(line, colors.get('panel'), 0.6);
  for (let x = x0; x < r.w; x++) {
    const tall = Math.round(high[x - x0] * h * s);
    if (!tall) continue;
    // up to the neighbours', so that steps hang together
    const low = Math.min(x > x0 ? high[x - 1 - x0] : 0, x + 1 < r.w ? high[x + 1 - x0] : 0);
    const thick = Math.max(edge, Math.round((high[x - x0] - low) * h * s));
    r.column(x, bottom - tall, bottom, area, top);
    r.column(x, bottom - tall, Math.min(bottom, bottom - tall + thick), line, top);
  }
  const text = masks.get(valueText(most, lane), 10);
  r.text(text, Math.max(0, x0 - Math.round(6 * s) - text.w), Math.round((y + 5) * s), 400, colors.get('dim'), top, x0);
}

/** When the lane's events did not come. */
function paintGaps(p: Picture, lane: Lane, y: number, h: number, top: number): void {
  const { raster: r, colors, win, feed } = p;
  const s = r.scale;
  const x0 = Math.round(p.left * s);
  const per = (r.w - x0) / (win.to - win.from);
  const [py, ph] = [Math.round(y * s), Math.round(h * s)];
  const stripes = stripesOn(colors, 'panel', 0.35);
  for (const gap of feed.gaps(lane, { from: Math.max(win.from, feed.span!.from), to: Math.min(win.to, feed.extent!.to) })) {
    const [a, b] = [gap.from, gap.to].map((t) => Math.round(x0 + (t - win.from) * per));
    r.hatch(a, py, Math.max(1, b - a), ph, stripes, top);
  }
}

function paintHeading(p: Picture, row: Row, y: number, top: number): void {
  const { raster: r, colors, masks } = p;
  const s = r.scale;
  const px = (v: number) => Math.round(v * s);
  const middle = px(y) + px(row.h) / 2;
  const width = px(p.left) - px(6);
  const chosen = row.lane !== null && row.lane.id === p.cursor;
  const y0 = Math.max(px(y), top);
  const rows = px(y + row.h) - y0;
  if (row.level === 0) r.fill(0, y0, r.w, rows, colors.get('well'));
  else r.fill(0, y0, px(p.left), rows, chosen ? mix(colors.get('panel'), colors.get('accent'), 0.18) : colors.get('panel'));
  if (chosen) r.fill(0, y0, px(3), rows, colors.get('accent'));
  if (row.folds) r.text(masks.get(row.folded ? '▸' : '▾', 11), px(row.level ? 8 : 5), middle, px(14), colors.get('dim'), top);
  let x = px(row.level === 0 ? 20 : row.level === 1 ? 22 : 36);
  if (row.lane?.kind === 'task' && row.lane.tid !== null) {
    const size = px(8);
    const at = Math.round(middle - size / 2);
    if (at >= top) r.fill(x, at, size, size, colors.task(row.lane.tid));
    x += px(13);
  }
  const ink = row.level === 2 ? colors.get('dim') : colors.get('ink');
  const mask = masks.get(row.title, row.level === 2 ? 11 : 12, row.level === 0 ? '600' : '');
  r.text(mask, x, middle, width - x, ink, top);
  if (row.note) r.text(masks.get(row.note, 11), x + mask.w + px(8), middle, px(60), colors.get('dim'), top, px(p.left));
  if (row.pinned && row.lane) r.text(masks.get('◆', 9), px(8), middle, px(12), colors.get('accent'), top);
}

/** One row with its top at y (points); nothing of it above `above`. */
export function paintRow(p: Picture, row: Row, y: number, above: number): void {
  const { raster: r, colors } = p;
  const s = r.scale;
  const top = Math.round(above * s);
  const bottom = Math.round((y + row.h) * s);
  const lane = row.lane;
  paintHeading(p, row, y, top);
  if (lane) {
    const data = p.feed.data.get(lane.id);
    if (data && lane.kind === 'counter') paintCounter(p, lane, data, y + 2, row.h - 5, top);
    else if (data)
      for (let level = 0; level < levels(lane); level++) {
        const [dy, h] = levelBox(lane, level);
        paintLevel(p, row, data, level, y + dy, h, top);
      }
    paintGaps(p, lane, y + 2, row.h - 5, top);
  }
  if (bottom - 1 >= top) r.fill(0, bottom - 1, r.w, 1, mix(colors.get('panel'), colors.get('line'), row.level === 0 ? 1 : 0.55));
}

/** What is before the first and after the last event. */
export function paintUnknown(p: Picture, y: number, h: number): void {
  const { raster: r, colors, win, feed } = p;
  if (!feed.span || !feed.extent) return;
  const x0 = Math.round(p.left * r.scale);
  const x = (t: number) => Math.round(x0 + ((t - win.from) / (win.to - win.from)) * (r.w - x0));
  const [from, to] = [Math.min(r.w, x(feed.extent.from)), Math.max(x0, x(feed.extent.to))];
  const [py, ph] = [Math.round(y * r.scale), Math.round(h * r.scale)];
  const stripes = stripesOn(colors, 'ground', 0.55);
  for (const [a, b] of [
    [x0, from],
    [to, r.w],
  ])
    if (b > a) {
      r.fill(a, py, b - a, ph, colors.get('ground'));
      r.hatch(a, py, b - a, ph, stripes, py);
    }
}

/** The whole span, a line a vCPU. */
export function paintOverview(p: Picture): void {
  const { raster: r, colors, feed } = p;
  const s = r.scale;
  const x0 = Math.round(p.left * s);
  r.fill(0, 0, r.w, Math.round(OVERVIEW * s), colors.get('panel'));
  r.fill(x0, 0, r.w - x0, Math.round(OVERVIEW * s), colors.get('well'));
  const n = Math.max(1, feed.overview.length);
  const high = Math.max(2, Math.floor(((OVERVIEW - 8) * s) / n));
  feed.overview.forEach((lane, k) => paintOverviewLane(p, lane, x0, Math.round(4 * s) + k * high, Math.max(1, high - Math.round(s))));
}

function paintOverviewLane(p: Picture, data: LaneData, x0: number, y: number, h: number): void {
  const { raster: r, colors, feed } = p;
  const span = feed.extent!;
  const per = (r.w - x0) / (span.to - span.from);
  const ground = colors.get('well');
  r.line.fill(ground);
  for (let i = 0; i < data.n; i++) {
    const cls = classOf(data.info[i]);
    if (cls !== 0) continue;
    const a = Math.floor(x0 + (data.from - span.from + data.start[i] * data.unit) * per);
    const b = Math.max(a + 1, Math.floor(x0 + (data.from - span.from + (data.start[i] + data.duration[i]) * data.unit) * per));
    r.line.fill(mix(colors.ofName(data.name[i], feed.names), ground, mergedOf(data.info[i]) > 1 ? 0.25 : 0), Math.max(x0, a), Math.min(r.w, b));
  }
  r.copy(r.line, x0, r.w, y, h, 0);
}
