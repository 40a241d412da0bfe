// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What is seen of a guest's timeline, and what is done with it. Stands outside of Preact: it draws in
// animation frames, only while something moves, and tells who subscribes when words on the page change.
import { readPlace, writePlace, type Place } from './address';
import { exactOf } from './exact';
import { UNRECORDED } from './colors';
import { counted } from './counter';
import { classOf, depthOf, isOpen, mergedOf, pick } from './frame';
import { Feed, type Found } from './feed';
import { Finder } from './finder';
import { groupOf, laneTitle, layout, levelAt, levelBox, type Layout, type Row } from './lanes';
import { drawArea, drawAxis, drawBox, drawFlows, drawOverview, drawPointer, drawScrollbar, xOf, type Face } from './overlay';
import { OVERVIEW, paintOverview, paintRow, paintUnknown, TOP, type Picture } from './paint';
import { Motion } from './motion';
import { Screen } from './screen';
import { around, length, type Win } from './window';
import type { Change } from '../place';
import type { Guest } from '../protocol';

const SETTLE_MS = 350; // until the address follows
const FLOWS_SHOWN = 60; // more than these are not drawn, but for the chosen one's

/** A slice. `merged`: it stands for so many, and is named for the longest of them. */
export interface Slice {
  lane: number;
  start: number;
  duration: number;
  name: string;
  cls: number;
  merged: number;
  open: boolean;
  level: number;
  amount: number; // of a counter: what was counted in that time
  value: number; // … as it is shown
}

const NOTHING = { name: '', merged: 1, open: false, level: 0, amount: 0, value: 0 };

export class Scope {
  readonly feed: Feed;
  readonly motion: Motion;
  readonly screen = new Screen();
  readonly finder: Finder;
  scroll = 0;
  pointer: { x: number; y: number } | null = null; // points of the screen
  chosen: Slice | null = null;
  cursor: number | null = null; // lane
  area: Win | null = null;
  draft: Win | null = null; // an area that is being dragged
  pins: number[] = [];
  folded = new Set<string>();
  text = '';
  frames = 0; // drawn so far
  private placed: Layout | null = null;
  private hits: Uint8Array | null = null;
  private pending = 0;
  private before = 0;
  private settling = 0;
  private begin: Place | null = null; // of the address, until there is something to look at
  private written = '';
  private go: ((change: Change) => void) | null = null;
  private listeners = new Set<() => void>();
  private hover: Slice | null = null;
  private numbering = 0;
  onHover: ((s: Slice | null, x: number, y: number) => void) | null = null;

  constructor(
    readonly guest: string,
    readonly live: boolean,
  ) {
    this.feed = new Feed(guest, () => this.heard(), () => this.told());
    this.finder = new Finder(this, (f) => this.take(f), () => this.told());
    this.motion = new Motion(live, () => this.feed.extent, () => this.changed(), () => this.told());
  }

  get win(): Win | null {
    return this.motion.win;
  }

  /** f: words on the page are others now. */
  subscribe(f: () => void): () => void {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  }

  private told(): void {
    this.listeners.forEach((f) => f());
  }

  /** The address is to say so, and the picture to show it. */
  private changed(): void {
    clearTimeout(this.settling);
    this.settling = window.setTimeout(() => this.write(), SETTLE_MS);
    this.wake();
  }

  // ---- the canvas ----

  attach(canvas: HTMLCanvasElement): () => void {
    const detach = this.screen.attach(canvas, () => this.wake());
    this.wake();
    return () => {
      detach();
      clearTimeout(this.settling);
      this.go = null;
    };
  }

  get zero(): number {
    return this.live ? 0 : this.feed.span?.from ?? 0;
  }

  /** Draw, soon. */
  wake(): void {
    if (!this.pending) this.pending = requestAnimationFrame((now) => this.frame(now));
  }

  private heard(): void {
    this.placed = null;
    this.hits = null;
    const span = this.feed.span;
    if (this.numbering !== this.feed.numbering) this.screen.recolor();
    this.numbering = this.feed.numbering;
    if (span) {
      if (!this.win) this.start();
      else this.motion.grown();
      void this.finder.heard();
    }
    this.wake();
  }

  /** There is something to look at, for the first time. */
  private start(): void {
    const p = this.begin;
    this.begin = null;
    this.motion.show(p?.win ?? null);
    if (p?.lane !== null && p?.lane !== undefined) this.openAt(p);
    this.told();
  }

  // ---- the address ----

  /** The address says so; it was not this that wrote it there, if it differs. */
  show(params: Record<string, string>, go: (change: Change) => void): void {
    this.go = go;
    const p = readPlace(params);
    const said = JSON.stringify(p);
    if (said === this.written) return;
    this.written = said;
    this.pins = p.pins;
    this.folded = new Set(p.folded);
    this.text = p.text;
    this.hits = null;
    this.placed = null;
    if (p.sel?.from !== this.area?.from || p.sel?.to !== this.area?.to) this.setArea(p.sel);
    if (!this.win || !this.feed.span) this.begin = p;
    else {
      this.motion.show(p.win);
      if (p.lane !== null) this.openAt(p);
    }
    this.wake();
  }

  private openAt(p: Place): void {
    this.cursor = p.lane;
    if (p.lane === null || p.at === null || (this.chosen?.lane === p.lane && this.chosen.start === p.at)) return;
    this.finder.await({ lane: p.lane, at: p.at });
  }

  private write(): void {
    const goal = this.motion.goal;
    if (!this.go || !goal || !this.feed.span) return;
    const p: Place = {
      win: this.motion.follow || (!this.live && this.motion.isWhole()) ? null : { from: Math.max(0, Math.round(goal.from)), to: Math.round(goal.to) },
      lane: this.chosen?.lane ?? this.cursor,
      at: this.chosen ? Math.round(this.chosen.start) : null,
      pins: this.pins,
      folded: [...this.folded],
      sel: this.area,
      text: this.text,
    };
    const said = JSON.stringify(p);
    if (said === this.written) return;
    this.written = said;
    this.go(writePlace(p));
  }

  // ---- moving ----

  zoomBy(factor: number, x?: number): void {
    const at = x ?? (this.pointer && this.pointer.x > this.screen.left ? this.pointer.x : (this.screen.left + this.screen.width) / 2);
    this.motion.zoomBy(factor, this.screen.part(at));
  }

  focus(): void {
    const c = this.chosen;
    const area = this.area;
    if (c) this.motion.byHand((_, span) => around(c.start, c.duration, span));
    else if (area) this.motion.byHand((_, span) => around(area.from, length(area), span));
  }

  scrollBy(pixels: number): void {
    this.scroll = Math.round(this.scroll + pixels);
    this.hoverAt();
    this.wake();
  }

  // ---- lanes ----

  layout(): Layout {
    this.placed ??= layout([...this.feed.lanes.values()], { folded: this.folded, pins: this.pins, rank: this.feed.rank });
    return this.placed;
  }

  /** Where the lanes that scroll begin. */
  get scrollTop(): number {
    return TOP + this.layout().pinnedHeight;
  }

  rowAt(y: number): { row: Row; y: number } | null {
    const l = this.layout();
    if (y < TOP) return null;
    const fixed = y < this.scrollTop;
    const at = fixed ? y - TOP : y - this.scrollTop + this.scroll;
    const row = (fixed ? l.pinned : l.rows).find((r) => at >= r.y && at < r.y + r.h);
    return row ? { row, y: at - row.y } : null;
  }

  private placeOf(lane: number): { y: number; h: number } | null {
    const l = this.layout();
    const pinned = l.pinned.find((r) => r.lane?.id === lane);
    if (pinned) return { y: TOP + pinned.y, h: pinned.h };
    const row = l.rows.find((r) => r.lane?.id === lane);
    if (!row) return null;
    const y = this.scrollTop + row.y - this.scroll;
    return y + row.h < this.scrollTop || y > this.screen.height ? null : { y, h: row.h };
  }

  /** The middle of the slice that is there then. */
  private middleOf(id: number, time: number): number | null {
    const at = this.placeOf(id);
    const lane = this.feed.lanes.get(id);
    const data = this.feed.data.get(id);
    if (!at || !lane) return null;
    const i = data ? pick(data, time, -1, data.unit) : -1;
    const [y, h] = levelBox(lane, data && i >= 0 ? depthOf(data.info[i]) : 0);
    return at.y + y + h / 2;
  }

  fold(key: string): void {
    if (!this.folded.delete(key)) this.folded.add(key);
    this.placed = null;
    this.changed();
  }

  /** Folds what the lane that keys are about belongs to, or unfolds it. */
  foldCursor(): void {
    const rows = this.layout().rows;
    let i = rows.findIndex((r) => r.lane?.id === this.cursor);
    while (i > 0 && !rows[i].folds) i--;
    if (i >= 0) this.fold(rows[i].key);
  }

  pin(lane: number | null = this.cursor): void {
    if (lane === null) return;
    this.pins = this.pins.includes(lane) ? this.pins.filter((p) => p !== lane) : [...this.pins, lane];
    this.placed = null;
    this.changed();
    this.told();
  }

  /** Keys are about the lane above or below. */
  step(by: number): void {
    const rows = [...this.layout().pinned, ...this.layout().rows].filter((r) => r.lane);
    if (!rows.length) return;
    const i = rows.findIndex((r) => r.lane!.id === this.cursor);
    const row = rows[i < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, i + by))];
    this.cursor = row.lane!.id;
    if (this.chosen && this.chosen.lane !== this.cursor) this.chosen = null;
    this.reveal(this.cursor);
    this.changed();
    this.told();
  }

  /** The next lane that has the text in its name, whether it is folded or not; false: there is none. */
  stepNamed(text: string, back: boolean): boolean {
    const { rows } = layout([...this.feed.lanes.values()], { folded: new Set(), pins: [], rank: this.feed.rank });
    const lanes = rows.flatMap((r) => r.lane ?? []);
    if (back) lanes.reverse();
    const at = lanes.findIndex((l) => l.id === this.cursor) + 1;
    const lane = [...lanes.slice(at), ...lanes.slice(0, at)].find((l) => laneTitle(l).toLowerCase().includes(text.toLowerCase()));
    if (!lane) return false;
    this.cursor = lane.id;
    this.chosen = null;
    this.unfoldTo(lane.id);
    this.reveal(lane.id);
    this.changed();
    return true;
  }

  reveal(lane: number): void {
    const l = this.layout();
    const row = l.rows.find((r) => r.lane?.id === lane);
    if (!row || l.pinned.some((r) => r.lane?.id === lane)) return;
    const seen = this.screen.height - this.scrollTop;
    if (row.y < this.scroll) this.scroll = Math.max(0, row.y - 24);
    else if (row.y + row.h > this.scroll + seen) this.scroll = row.y + row.h - seen + 8;
  }

  // ---- slices ----

  timeAt(x: number): number {
    return this.win!.from + this.screen.part(x) * length(this.win!);
  }

  sliceAt(x: number, y: number): Slice | null {
    const hit = x >= this.screen.left && this.win ? this.rowAt(y) : null;
    const lane = hit?.row.lane;
    const data = lane && this.feed.data.get(lane.id);
    if (!hit || !lane || !data) return null;
    if (lane.kind === 'counter') return this.countAt(lane.id, this.timeAt(x));
    const level = levelAt(lane, hit.y);
    const pixel = length(this.win!) / Math.max(1, this.screen.width - this.screen.left);
    const several = lane.kind !== 'cpu' && lane.kind !== 'task' && lane.kind !== 'wait';
    const i = pick(data, this.timeAt(x), several ? level : -1, pixel * 3);
    if (i < 0) return this.gapAt(lane.id, this.timeAt(x));
    return {
      ...NOTHING,
      lane: lane.id,
      start: data.from + data.start[i] * data.unit,
      duration: data.duration[i] * data.unit,
      name: this.feed.names[data.name[i]] ?? '',
      cls: classOf(data.info[i]),
      merged: mergedOf(data.info[i]),
      open: isOpen(data.info[i]),
      level,
    };
  }

  /** What that counter counted then. */
  countAt(lane: number, time: number): Slice | null {
    const data = this.feed.data.get(lane);
    const kind = this.feed.lanes.get(lane);
    const span = this.feed.span;
    const c = data && kind && span ? counted(kind, data, time, span) : null;
    return c && { ...NOTHING, lane, start: c.start, duration: c.duration, amount: c.amount, value: c.value, cls: c.off ? UNRECORDED : 0 };
  }

  /** The time around that one in which events of that lane did not come; null: they came. */
  gapAt(lane: number, time: number): Slice | null {
    const { lanes, extent } = this.feed;
    const of = lanes.get(lane);
    const gap = of && extent && this.feed.gaps(of, extent).find((g) => time >= g.from && time < g.to);
    return gap ? { ...NOTHING, lane, start: gap.from, duration: length(gap), cls: UNRECORDED } : null;
  }

  /** Chosen; what is known of it only roughly is asked for. */
  async choose(s: Slice | null): Promise<void> {
    this.finder.await(null);
    this.chosen = s;
    if (s) this.cursor = s.lane;
    this.changed();
    this.told();
    const exact = s && s.merged <= 1 && s.cls !== UNRECORDED && this.feed.lanes.get(s.lane)?.kind !== 'counter';
    const found = exact ? await exactOf(this.feed, s) : null;
    if (s && found && this.chosen === s) {
      this.chosen = { ...s, start: found.start, duration: found.duration };
      this.changed();
      this.told();
    }
  }

  private take(f: Found): void {
    this.chosen = { ...f, merged: 1, amount: 0, value: 0 };
    this.cursor = f.lane;
    this.unfoldTo(f.lane);
    this.reveal(f.lane);
    this.changed();
    this.told();
  }

  private unfoldTo(lane: number): void {
    const l = this.feed.lanes.get(lane);
    if (!l || this.layout().rows.some((r) => r.lane?.id === lane)) return;
    for (const key of [groupOf(l), `cpu${l.cpu}`, `task${l.tid}`, 'calls']) this.folded.delete(key);
    this.placed = null;
  }

  search(text: string): void {
    this.text = text;
    this.hits = null;
    this.finder.missed = false;
    this.changed();
    this.told();
  }

  /** The text that is looked for, from where one is. */
  searchNext(back = false): void {
    if (this.text) this.finder.next(back, true);
  }

  setArea(area: Win | null): void {
    this.area = area && { from: Math.max(0, Math.round(area.from)), to: Math.round(area.to) };
    this.feed.select(this.area);
    this.changed();
    this.told();
  }

  /** By keys: the chosen slice's time, or all that is seen. */
  areaHere(): void {
    const c = this.chosen;
    const span = this.feed.span;
    const goal = this.motion.goal;
    if (!goal || !span) return;
    const w = c && c.duration ? { from: c.start, to: c.start + c.duration } : goal;
    this.setArea({ from: Math.max(w.from, span.from), to: Math.min(w.to, span.to) });
  }

  clear(): void {
    if (this.area) this.setArea(null);
    else if (this.chosen) void this.choose(null);
    else this.cursor = null;
    this.changed();
  }

  hoverAt(): void {
    this.hover = this.pointer && this.pointer.y > TOP ? this.sliceAt(this.pointer.x, this.pointer.y) : null;
    this.onHover?.(this.hover, this.pointer?.x ?? 0, this.pointer?.y ?? 0);
  }

  // ---- drawing ----

  private frame(now: number): void {
    this.pending = 0;
    if (!this.screen.g) return;
    const past = Math.min(64, Math.max(1, now - this.before));
    this.before = now;
    if (this.motion.glide(past)) {
      if (this.motion.gliding) this.wake();
      this.hoverAt();
    }
    this.draw();
    this.frames++;
  }

  /** By number of a name: whether it has the text that is looked for. */
  private matching(): Uint8Array | null {
    if (!this.text) return null;
    const text = this.text.toLowerCase();
    if (this.hits?.length !== this.feed.names.length) this.hits = Uint8Array.from(this.feed.names, (n) => Number(n.toLowerCase().includes(text)));
    return this.hits;
  }

  private draw(): void {
    const { screen } = this;
    const r = screen.pixels();
    const g = screen.g!;
    const { width: w, height: h, left, masks, colors } = screen;
    r.px.fill(colors.get('panel'));
    if (this.win && this.feed.span) {
      const l = this.layout();
      this.scroll = Math.max(0, Math.min(this.scroll, l.height - (h - this.scrollTop)));
      const p: Picture = { raster: r, masks, colors, feed: this.feed, win: this.win, left, hits: this.matching(), cursor: this.cursor };
      const seen: number[] = [];
      for (const row of l.pinned) {
        paintRow(p, row, TOP + row.y, TOP);
        seen.push(row.lane!.id);
      }
      for (const row of l.rows) {
        const y = this.scrollTop + row.y - this.scroll;
        if (y + row.h < this.scrollTop - 200 || y > h + 200) continue;
        if (row.lane) seen.push(row.lane.id);
        if (y + row.h > this.scrollTop && y < h) paintRow(p, row, y, this.scrollTop);
      }
      paintUnknown(p, TOP, Math.min(h, this.scrollTop + l.height - this.scroll) - TOP);
      paintOverview(p);
      this.feed.need(this.motion.goal ?? this.win, [...new Set(seen)], Math.round((w - left) * r.scale));
    }
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.putImageData(r.image, 0, 0);
    g.setTransform(r.scale, 0, 0, r.scale, 0, 0);
    if (this.win && this.feed.span) this.drawOver({ g, w, h, left, win: this.win, span: this.feed.extent!, zero: this.zero, css: (name) => colors.css(name) });
  }

  /** The interrupt that the chosen slice is part of; 0: none. */
  private flowOf(s: Slice | null): number {
    if (!s) return 0;
    const within = (t: number) => t >= s.start - 1 && t <= s.start + s.duration + 1;
    const flow = this.feed.flows.find((f) => (f.fromLane === s.lane && within(f.fromTime)) || (f.toLane === s.lane && within(f.toTime)));
    return flow?.id ?? 0;
  }

  private drawOver(f: Face): void {
    drawAxis(f);
    const strong = this.flowOf(this.chosen);
    const inside = this.feed.flows.filter((x) => x.toTime >= f.win.from && x.fromTime <= f.win.to);
    drawFlows(f, inside.length > FLOWS_SHOWN ? inside.filter((x) => x.id === strong) : inside, (id, time) => this.middleOf(id, time), strong);
    if (this.hover && this.hover.lane !== this.chosen?.lane) this.box(f, this.hover, false);
    if (this.chosen) this.box(f, this.chosen, true);
    const area = this.draft ?? this.area;
    if (area) drawArea(f, area);
    drawOverview(f);
    if (this.pointer && this.pointer.x > f.left && this.pointer.y > OVERVIEW) drawPointer(f, this.timeAt(this.pointer.x));
    drawScrollbar(f, this.scrollTop, this.scroll, this.layout().height);
  }

  private box(f: Face, s: Slice, chosen: boolean): void {
    const at = this.placeOf(s.lane);
    const lane = this.feed.lanes.get(s.lane);
    if (!at || !lane) return;
    const [dy, h] = levelBox(lane, s.level);
    if (xOf(f, s.start) < f.w) drawBox(f, s.start, s.start + s.duration, at.y + dy, h, chosen);
  }

  flowsOfChosen() {
    const id = this.flowOf(this.chosen);
    return id ? this.feed.flows.filter((f) => f.id === id) : [];
  }
}

const scopes = new Map<string, Scope>();

/** The one of that guest: it stays, as what the server told of it does. */
export function scopeOf(guest: Guest): Scope {
  let scope = scopes.get(guest.id);
  if (!scope) {
    scope = new Scope(guest.id, guest.kind === 'live');
    scopes.set(guest.id, scope);
  }
  return scope;
}
