// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Draws what lies over the lanes: the axis, the window in the whole span, arrows, what is chosen.
import { axisOf, exactText, timeText } from './axis';
import type { Flow } from './frame';
import { AXIS, OVERVIEW, TOP } from './paint';
import { length, type Win } from './window';

/** A time as it is shown: from `zero` on. */
export interface Face {
  g: CanvasRenderingContext2D;
  w: number; // points
  h: number;
  left: number;
  win: Win;
  span: Win;
  zero: number;
  css: (name: string) => string; // a colour of app.css
}

const FONT = "11px system-ui, 'DejaVu Sans', sans-serif";

export function xOf(f: { w: number; left: number; win: Win }, time: number): number {
  return f.left + ((time - f.win.from) / length(f.win)) * (f.w - f.left);
}

/** Only what is right of the headings. */
function clipped(f: Face, y: number, h: number, draw: () => void): void {
  f.g.save();
  f.g.beginPath();
  f.g.rect(f.left, y, f.w - f.left, h);
  f.g.clip();
  draw();
  f.g.restore();
}

export function drawAxis(f: Face): void {
  const { g } = f;
  g.fillStyle = f.css('panel');
  g.fillRect(0, OVERVIEW, f.w, AXIS);
  g.font = FONT;
  g.textBaseline = 'middle';
  const axis = axisOf(f.win, f.w - f.left, 96, f.zero);
  const y = OVERVIEW + AXIS;
  g.textAlign = 'right';
  g.fillStyle = f.css('dim');
  g.fillText(axis.baseText ? `${axis.baseText} +` : '', f.left - 8, OVERVIEW + AXIS / 2);
  g.textAlign = 'left';
  clipped(f, OVERVIEW, f.h - OVERVIEW, () => {
    g.fillStyle = f.css('line');
    for (const t of axis.minor) g.fillRect(Math.round(xOf(f, t)), y - 4, 1, 4);
    for (const m of axis.marks) {
      const x = Math.round(xOf(f, m.time));
      g.fillStyle = f.css('dim');
      g.fillRect(x, y - 9, 1, 9);
      g.fillText(m.text, x + 4, OVERVIEW + AXIS / 2 - 1);
    }
    g.globalAlpha = 0.35;
    g.fillStyle = f.css('line');
    for (const m of axis.marks) g.fillRect(Math.round(xOf(f, m.time)), y, 1, f.h - y);
  });
  g.globalAlpha = 1;
  g.fillStyle = f.css('line');
  g.fillRect(0, y - 1, f.w, 1);
  g.fillRect(0, OVERVIEW - 1, f.w, 1);
}

/** Which part of the whole is seen. */
export function drawOverview(f: Face): void {
  const { g } = f;
  const wide = f.w - f.left;
  const part = (t: number) => Math.min(1, Math.max(0, (t - f.span.from) / Math.max(1, length(f.span))));
  const a = f.left + part(f.win.from) * wide;
  const b = Math.max(a + 3, f.left + part(f.win.to) * wide);
  g.fillStyle = f.css('ground');
  g.globalAlpha = 0.62;
  g.fillRect(f.left, 0, a - f.left, OVERVIEW - 1);
  g.fillRect(b, 0, f.w - b, OVERVIEW - 1);
  g.globalAlpha = 1;
  g.strokeStyle = f.css('accent');
  g.lineWidth = 1.5;
  g.strokeRect(a + 0.75, 0.75, Math.max(1.5, b - a - 1.5), OVERVIEW - 2.5);
  g.font = FONT;
  g.textAlign = 'left';
  g.textBaseline = 'middle';
  g.fillStyle = f.css('ink');
  g.fillText('Whole span', 8, 13);
  g.fillStyle = f.css('dim');
  g.fillText(timeText(length(f.span), length(f.span) / 1000), 8, 28);
  g.fillStyle = f.css('line');
  g.fillRect(f.left - 1, 0, 1, f.h);
}

/** Where what is at that time of a lane stands now: its middle, points; null: it is not seen. */
export type PlaceOf = (lane: number, time: number) => number | null;

const STEEP = 40; // pixels: arrows that go less to the side are straight

function drawArrow(g: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  const straight = Math.abs(x1 - x0) < STEEP;
  const bend = Math.min(80, Math.abs(x1 - x0) / 2);
  const angle = straight ? Math.atan2(y1 - y0, x1 - x0) : 0;
  g.beginPath();
  g.moveTo(x0, y0);
  if (straight) g.lineTo(x1, y1);
  else g.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1);
  g.stroke();
  g.beginPath();
  g.moveTo(x1, y1);
  for (const side of [-1, 1]) g.lineTo(x1 - 7 * Math.cos(angle + side * 0.45), y1 - 7 * Math.sin(angle + side * 0.45));
  g.fill();
}

/** What an interrupt is made of: an arrow from each part to the next. Strong: of the chosen one. */
export function drawFlows(f: Face, flows: Flow[], place: PlaceOf, strong: number): void {
  const { g } = f;
  clipped(f, TOP, f.h - TOP, () => {
    for (const flow of flows) {
      const y0 = place(flow.fromLane, flow.fromTime);
      const y1 = place(flow.toLane, flow.toTime);
      const [x0, x1] = [xOf(f, flow.fromTime), xOf(f, flow.toTime)];
      if (y0 === null || y1 === null || Math.max(x0, x1) < f.left || Math.min(x0, x1) > f.w) continue;
      const mine = flow.id === strong;
      g.strokeStyle = g.fillStyle = f.css('ink');
      g.globalAlpha = mine ? 1 : 0.45;
      g.lineWidth = mine ? 2 : 1;
      drawArrow(g, x0, y0, x1, y1);
    }
  });
  g.globalAlpha = 1;
}

/** A box around a slice. */
export function drawBox(f: Face, from: number, to: number, y: number, h: number, chosen: boolean): void {
  const { g } = f;
  clipped(f, TOP, f.h - TOP, () => {
    const a = Math.max(f.left - 4, xOf(f, from));
    const b = Math.min(f.w + 4, xOf(f, to));
    // in two colours when it is chosen: it stands out on all
    for (const [width, color] of chosen ? ([[4, 'panel'], [2, 'ink']] as const) : ([[1, 'ink']] as const)) {
      g.lineWidth = width;
      g.strokeStyle = f.css(color);
      g.strokeRect(a - 0.5, y - 0.5, Math.max(3, b - a) + 0.5, h + 1);
    }
  });
}

/** The area that is selected: over the lanes, with its length at the axis. */
export function drawArea(f: Face, area: Win): void {
  const { g } = f;
  clipped(f, OVERVIEW, f.h - OVERVIEW, () => {
    const [a, b] = [xOf(f, area.from), xOf(f, area.to)];
    g.fillStyle = f.css('accent');
    g.globalAlpha = 0.13;
    g.fillRect(a, OVERVIEW, b - a, f.h - OVERVIEW);
    g.globalAlpha = 1;
    g.fillRect(a, OVERVIEW, 1, f.h - OVERVIEW);
    g.fillRect(b - 1, OVERVIEW, 1, f.h - OVERVIEW);
    const text = timeText(length(area), length(area) / 1000);
    pill(f, text, (Math.max(a, f.left) + Math.min(b, f.w)) / 2, 'accent', 'accent-ink');
  });
}

/** The pointer's moment: a line, and what time that is. */
export function drawPointer(f: Face, time: number): void {
  const { g } = f;
  clipped(f, OVERVIEW, f.h - OVERVIEW, () => {
    g.fillStyle = f.css('ink');
    g.globalAlpha = 0.5;
    g.fillRect(Math.round(xOf(f, time)), TOP, 1, f.h - TOP);
    g.globalAlpha = 1;
    pill(f, exactText(time - f.zero), xOf(f, time), 'ink', 'panel');
  });
}

function pill(f: Face, text: string, x: number, ground: string, ink: string): void {
  const { g } = f;
  g.font = FONT;
  const w = g.measureText(text).width + 10;
  const left = Math.min(Math.max(x - w / 2, f.left), f.w - w);
  g.fillStyle = f.css(ground);
  g.beginPath();
  g.roundRect(left, OVERVIEW + 2, w, AXIS - 5, 4);
  g.fill();
  g.fillStyle = f.css(ink);
  g.textAlign = 'left';
  g.textBaseline = 'middle';
  g.fillText(text, left + 5, OVERVIEW + AXIS / 2);
}

/** How far down one is. */
export function drawScrollbar(f: Face, top: number, scroll: number, height: number): void {
  const seen = f.h - top;
  if (height <= seen || seen <= 0) return;
  const high = Math.max(24, (seen * seen) / height);
  f.g.fillStyle = f.css('dim');
  f.g.globalAlpha = 0.45;
  f.g.beginPath();
  f.g.roundRect(f.w - 7, top + (scroll / (height - seen)) * (seen - high), 5, high, 2.5);
  f.g.fill();
  f.g.globalAlpha = 1;
}
