// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Slices that the server is to find: the next one, and the one that the address has chosen.
import { classInfo } from './colors';
import type { Found } from './feed';
import type { Scope } from './scope';

const QUEUE = 3; // keys that wait for what the one before finds

export class Finder {
  private waiting = 0;
  private last: Promise<void> = Promise.resolve();
  private awaited: { lane: number; at: number } | null = null;
  private asking = false;
  missed = false; // there was none of that name

  /** take: a slice was found; told: or none was. */
  constructor(
    private scope: Scope,
    private take: (f: Found) => void,
    private told: () => void,
  ) {}

  /** The next slice: of the same lane, or of a name wherever it is. */
  next(back: boolean, named: boolean): void {
    if (this.waiting >= QUEUE) return;
    this.waiting++;
    this.last = this.last.then(() => this.find(back, named)).finally(() => this.waiting--);
  }

  /** What it counted before or after what is chosen, as soon as that is here; at first what is in the middle of the window. */
  private stepCounter(lane: number, back: boolean): void {
    const { chosen, motion, feed } = this.scope;
    const c = chosen?.lane === lane ? chosen : null;
    const goal = motion.goal!;
    const at = !c ? (goal.from + goal.to) / 2 : back ? c.start - 0.5 : c.start + c.duration + 0.5;
    if (!feed.span || at < feed.span.from || at >= feed.span.to) return;
    const next = this.scope.countAt(lane, at);
    this.scope.reveal(lane);
    motion.bringIn(next?.start ?? at, next?.duration ?? 0);
    if (next) void this.scope.choose(next);
    else this.await({ lane, at });
  }

  private async find(back: boolean, named: boolean): Promise<void> {
    const { chosen, cursor, text, feed, motion } = this.scope;
    if (!motion.goal) return;
    const lane = named ? null : chosen?.lane ?? cursor;
    if (!named && lane === null) return this.scope.step(1);
    const counter = chosen?.lane ?? cursor;
    if (counter !== null && feed.lanes.get(counter)?.kind === 'counter' && !(named && text)) return this.stepCounter(counter, back);
    const from = chosen ? chosen.start : back ? motion.goal.to : motion.goal.from;
    const kind = chosen && feed.lanes.get(chosen.lane)?.kind;
    const own = chosen && kind && !classInfo(kind, chosen.cls).foreign ? chosen.name : '';
    const found = await feed.find(named ? text || own : '', from, back, lane);
    const stepped = !found && named && text !== '' && this.scope.stepNamed(text, back);
    this.missed = named && !found && !stepped;
    if (!found) return this.told();
    this.take(found);
    motion.bringIn(found.start, found.duration);
  }

  /** The slice of that lane that begins then, as soon as it is read. null: none any more. */
  await(slice: { lane: number; at: number } | null): void {
    this.awaited = slice;
    void this.heard();
  }

  /** There is more to be found. */
  async heard(): Promise<void> {
    const { feed } = this.scope;
    const a = this.awaited;
    if (!a || !feed.span || this.asking) return;
    if (feed.lanes.get(a.lane)?.kind === 'counter') {
      const s = this.scope.countAt(a.lane, a.at);
      if (s) void this.scope.choose(s); // which awaits nothing any more
      return;
    }
    const { busy } = feed;
    this.asking = true;
    const found = await feed.find('', a.at - 1, false, a.lane);
    this.asking = false;
    if (this.awaited !== a) return;
    if (found || !busy) this.awaited = null;
    if (found?.start === a.at) return this.take(found);
    const gap = this.scope.gapAt(a.lane, a.at);
    if (gap) void this.scope.choose(gap);
  }
}
