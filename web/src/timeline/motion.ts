// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Which window is seen, and which it glides to. By hand, or after the newest.
import { bringIn, clamp, length, newest, pan, toward, whole, zoom, type Win } from './window';

const EASE_MS = 45;
const LIVE_NS = 2e9; // seen of a live guest at first
const WIDE_NS = 20e9; // as wide is not followed

export class Motion {
  win: Win | null = null;
  goal: Win | null = null;
  follow = false; // the newest, as it comes
  private all = false; // everything, as it is read

  /** moved: to be drawn; told: whether it follows has changed. */
  constructor(
    private live: boolean,
    private span: () => Win | null,
    private moved: () => void,
    private told: () => void,
  ) {}

  /** For the first time, or as an address says; null: the newest, or everything. */
  show(w: Win | null): void {
    const span = this.span();
    if (!span) return;
    this.follow = this.live && !w;
    this.all = !this.live && !w;
    this.goal = w ? clamp(w, span) : this.live ? newest(this.win ?? { from: 0, to: LIVE_NS }, span) : whole(span);
    this.win ??= this.goal;
    this.moved();
  }

  /** There is something newer. */
  grown(): void {
    const span = this.span();
    if (!this.goal || !span) return;
    if (this.follow) this.goal = newest(this.goal, span);
    else if (this.all) this.win = this.goal = whole(span);
  }

  /** By hand: then it no longer follows. Gliding, or at once. */
  byHand(change: (w: Win, span: Win) => Win, glide = true): void {
    const span = this.span();
    if (!this.goal || !span) return;
    this.all = false;
    if (this.follow) {
      this.follow = false;
      this.told();
    }
    this.goal = change(this.goal, span);
    if (!glide) this.win = this.goal;
    this.moved();
  }

  zoomBy(factor: number, at: number): void {
    this.byHand((w, span) => zoom(w, factor, at, span));
  }

  panBy(part: number, glide = true): void {
    this.byHand((w, span) => pan(w, part, span), glide);
  }

  /** The window's middle there. */
  center(time: number): void {
    this.byHand((w, span) => clamp({ from: time - length(w) / 2, to: time + length(w) / 2 }, span));
  }

  /** A slice is to be seen. */
  bringIn(start: number, duration: number): void {
    const span = this.span();
    if (this.goal && span && bringIn(this.goal, start, duration, span) !== this.goal) this.byHand((w) => bringIn(w, start, duration, span));
  }

  toBegin(): void {
    this.byHand((w, span) => clamp({ from: span.from - length(w) * 0.02, to: span.from + length(w) * 0.98 }, span));
  }

  toEnd(): void {
    this.byHand((w, span) => newest(w, span));
  }

  showAll(): void {
    this.byHand((_, span) => whole(span));
    this.all = !this.live;
  }

  /** Whether all that there is is seen. */
  isWhole(): boolean {
    const span = this.span();
    const all = span && whole(span);
    return !!all && !!this.goal && Math.abs(this.goal.from - all.from) < 1 && Math.abs(this.goal.to - all.to) < 1;
  }

  setFollow(on: boolean): void {
    const span = this.span();
    this.follow = on && this.live;
    if (this.follow && span && this.goal) this.goal = newest(length(this.goal) > WIDE_NS ? { from: 0, to: LIVE_NS } : this.goal, span);
    this.told();
    this.moved();
  }

  /** After so many ms. True: it moved. */
  glide(past: number): boolean {
    if (!this.win || !this.goal || this.win === this.goal) return false;
    this.win = toward(this.win, this.goal, 1 - Math.exp(-past / EASE_MS));
    return true;
  }

  get gliding(): boolean {
    return this.win !== this.goal;
  }
}
