// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What the server has told of one guest's timeline, and what it is asked. One window is asked for at a time.
import type { FoundMessage, Lane, LanesMessage, Message, SelectedMessage } from '../protocol';
import { store } from '../store';
import { gapsOf } from './counter';
import { decode, type Flow, type Frame, type LaneData } from './frame';
import { rankAll, setOf } from './lanes';
import { length, serves, wanted, type Win } from './window';

const MOST_LANES = 256; // of a request
const KEPT = 400; // lanes whose data is kept
const PATIENCE = 3000; // ms until what was not answered is asked again
const WIDEST = 8192; // pixels of a request
const OVERVIEW_MS = 2000; // between two overviews of a live guest

/** A lane's slices, and how good they are: ns a pixel, and the newest that was known then. */
export interface Had extends LaneData {
  pixel: number;
  known: number;
}

interface Asked {
  seq: number;
  lanes: number[];
  pixel: number;
  known: number;
  at: number;
  overview: boolean;
}

export interface Found {
  lane: number;
  start: number;
  duration: number;
  name: string;
  level: number;
  cls: number;
  open: boolean;
}

let lastSeq = 0; // of all guests: answers do not name theirs

export class Feed {
  lanes = new Map<number, Lane>();
  names: string[] = [];
  span: Win | null = null; // what is known
  extent: Win | null = null; // with what of a recording is not read yet
  busy = false;
  numbering = 0; // how often names were numbered anew
  notes: string[] = [];
  data = new Map<number, Had>();
  flows: Flow[] = [];
  overview: LaneData[] = [];
  rank = new Map<number, number>();
  private counters = new Map<string, Lane>(); // one of each event set
  selected: SelectedMessage | null = null;
  private asked: Asked | null = null;
  private overviewOf: { span: Win; at: number; lanes: number } | null = null;
  private finding: { seq: number; done: (found: Found | null) => void } | null = null;
  private selecting = 0;
  private area: Win | null = null;
  private stop: () => void;

  /** changed: there is something new to draw; told: something new to say in words. */
  constructor(
    readonly guest: string,
    private changed: () => void,
    private told: () => void,
  ) {
    this.stop = store.listen((m) => this.hear(m));
  }

  close(): void {
    this.stop();
  }

  /** That window of those lanes, as far as it is not here. */
  need(w: Win, lanes: number[], pixels: number): void {
    if (!this.span || pixels < 1) return;
    const span = this.span;
    if (this.asked && performance.now() - this.asked.at < PATIENCE) return;
    pixels = Math.min(pixels, WIDEST);
    const pixel = length(w) / pixels;
    const lacks = (id: number) => {
      const had = this.data.get(id);
      return !had || !serves(had, w, pixel, span);
    };
    const ids = lanes.slice(0, MOST_LANES);
    if (ids.some(lacks)) {
      const ask = wanted(w, span, Math.min(1, (WIDEST / pixels - 1) / 2));
      this.ask(ask, ids, Math.min(WIDEST, Math.max(1, Math.round(length(ask) / pixel))), false);
    } else this.needOverview(pixels);
  }

  private needOverview(pixels: number): void {
    const span = this.span!;
    const cpus = [...this.lanes.values()].filter((l) => l.kind === 'cpu').sort((a, b) => (a.cpu ?? 0) - (b.cpu ?? 0));
    const had = this.overviewOf;
    const same = had && had.span.from === span.from && had.span.to === span.to && had.lanes === cpus.length;
    if (!cpus.length || same || (had && performance.now() - had.at < OVERVIEW_MS)) return;
    this.overviewOf = { span, at: performance.now(), lanes: cpus.length };
    this.ask(span, cpus.slice(0, 16).map((l) => l.id), pixels, true);
  }

  private ask(w: Win, lanes: number[], width: number, overview: boolean): void {
    const seq = ++lastSeq;
    this.asked = { seq, lanes, pixel: length(w) / width, known: this.span!.to, at: performance.now(), overview };
    store.ask({ op: 'window', guest: this.guest, seq, from: Math.max(0, Math.floor(w.from)), to: Math.ceil(w.to), width, lanes });
  }

  select(w: Win | null): void {
    this.area = w;
    this.selected = null;
    this.askSelected();
  }

  private askSelected(): void {
    const w = this.area;
    this.selecting = ++lastSeq;
    if (w && this.span) store.ask({ op: 'select', guest: this.guest, seq: this.selecting, from: Math.round(w.from), to: Math.round(w.to) });
  }

  /** When the events of that lane did not come, within that time. What runs is told by slices that say so. */
  gaps(lane: Lane, within: Win): Win[] {
    const set = setOf(lane);
    return set ? gapsOf(this.counters.get(set) ?? {}, within) : [];
  }

  /** The slice after (or before) that time with that text in its name. Of several questions the last is answered. */
  find(text: string, from: number, back: boolean, lane: number | null): Promise<Found | null> {
    const seq = ++lastSeq;
    this.finding?.done(null);
    return new Promise((done) => {
      this.finding = { seq, done };
      store.ask({ op: 'find', guest: this.guest, seq, text, from: Math.max(0, Math.round(from)), back, lane });
    });
  }

  /** Tasks are put in order anew, the busiest first. */
  resort(): void {
    this.rank.clear();
    rankAll([...this.lanes.values()], this.rank);
    this.changed();
  }

  private hear(m: Message | ArrayBuffer): void {
    if (m instanceof ArrayBuffer) {
      const frame = decode(m);
      if (frame && frame.seq === this.asked?.seq) this.take(frame, this.asked);
      return;
    }
    if (m.op === 'hello') {
      this.forget(); // a new server
      this.lanes.clear();
      this.counters.clear();
      this.asked = this.span = this.extent = null;
      this.finding?.done(null);
      this.finding = null;
    } else if (!('guest' in m) || m.guest !== this.guest) return;
    else if (m.op === 'lanes') this.tell(m);
    else if (m.op === 'names') {
      if (m.base < this.names.length) this.forget();
      this.names.length = m.base;
      this.names.push(...m.names);
    } else if (m.op === 'found') this.answer(m);
    else if (m.op === 'selected' && m.seq === this.selecting) {
      this.selected = m;
      this.told();
    }
  }

  /** Names are numbered anew: what has numbers of the old ones is of no use. */
  private forget(): void {
    this.names = [];
    this.numbering++;
    this.data.clear();
    this.overview = [];
    this.flows = [];
    this.overviewOf = null;
  }

  private tell(m: LanesMessage): void {
    const had = this.lanes;
    const fresh = !this.span;
    if (m.base === null) {
      this.lanes = new Map();
      this.counters.clear();
    }
    for (const lane of m.lanes) {
      this.lanes.set(lane.id, lane);
      if (lane.set) this.counters.set(lane.set, lane);
    }
    if (m.base === null) for (const id of had.keys()) if (!this.lanes.has(id)) this.rank.delete(id);
    rankAll([...this.lanes.values()], this.rank);
    const [from, to] = m.span;
    this.span = to > from ? { from, to } : null;
    this.extent = this.span && { from, to: Math.max(to, m.end) };
    this.notes = m.notes;
    const read = this.busy && !m.busy;
    this.busy = m.busy;
    if (this.area && this.span && (fresh || read)) this.askSelected();
    this.changed();
    this.told();
  }

  private answer(m: FoundMessage): void {
    if (m.seq !== this.finding?.seq) return;
    const { done } = this.finding;
    this.finding = null;
    if (m.lane === null) return done(null);
    const { lane, start, duration, open } = m;
    done({ lane, start, duration, name: this.names[m.name] ?? '', level: m.depth, cls: m.class, open });
  }

  private take(frame: Frame, asked: Asked): void {
    this.asked = null;
    const all = new Map(frame.lanes.map((l) => [l.id, l]));
    if (asked.overview) this.overview = asked.lanes.flatMap((id) => all.get(id) ?? []);
    else {
      const none = new Uint32Array(0);
      for (const id of asked.lanes) {
        const lane = all.get(id) ?? { id, n: 0, rows: [0, 0], from: frame.from, to: frame.to, unit: frame.unit, start: none, duration: none, name: none, info: none };
        this.data.delete(id); // those asked for last are the last to go
        this.data.set(id, { ...lane, pixel: asked.pixel, known: asked.known });
      }
      for (const id of this.data.keys()) {
        if (this.data.size <= KEPT) break;
        this.data.delete(id);
      }
      this.flows = frame.flows;
    }
    this.changed();
  }
}
