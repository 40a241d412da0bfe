// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Things drawn on a canvas that one can point at: with the pointer, or with the arrow keys once it has
// the focus. What is pointed at is said beside the pointer, and in a line below, which screen readers
// read out.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { css } from './palette';
import { Canvas } from './parts';

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Picture {
  class: string;
  label: string;
  n: number;
  height?: number | string; // of the canvas, CSS pixels or a length; else what room there is
  /** Where each of them is in a canvas of that size; of the ones that can't be seen w is 0. */
  place: (w: number, h: number) => Box[];
  draw: (g: CanvasRenderingContext2D, boxes: Box[], w: number, h: number) => void;
  describe: (i: number) => string;
  open?: (i: number) => void; // a click, or Enter
  hint: ComponentChildren; // below, while nothing is pointed at
}

/** The one in that direction: of those that lie there the nearest. */
function next(boxes: Box[], at: number, key: string): number {
  if (key === 'Home') return 0;
  if (key === 'End') return boxes.length - 1;
  if (at < 0) return 0;
  if (key === 'ArrowLeft') return Math.max(0, at - 1);
  if (key === 'ArrowRight') return Math.min(boxes.length - 1, at + 1);
  const from = boxes[at];
  const down = key === 'ArrowDown';
  let best = at;
  let least = Infinity;
  boxes.forEach((b, i) => {
    const dy = down ? b.y - from.y : from.y - b.y;
    const dx = Math.abs(b.x + b.w / 2 - from.x - from.w / 2);
    if (dy > 0.5 && b.w > 0 && dy * 4096 + dx < least) {
      least = dy * 4096 + dx;
      best = i;
    }
  });
  return best;
}

const KEYS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'];

export function Pointed(p: Picture) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const boxes = useRef<Box[]>([]);
  const size = useRef<[number, number]>([0, 0]);
  const [at, setAt] = useState(-1);
  const i = at < p.n ? at : -1;

  useEffect(() => {
    const [t, b] = [tip.current, boxes.current[i]];
    if (!t || !b) return;
    const [w, h] = size.current;
    const below = b.y + b.h + 6 + t.offsetHeight <= h;
    t.style.left = `${Math.max(0, Math.min(b.x, w - t.offsetWidth))}px`;
    t.style.top = `${below ? b.y + b.h + 6 : Math.max(0, b.y - t.offsetHeight - 6)}px`;
  });

  const find = (x: number, y: number) =>
    boxes.current.findIndex((b) => x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h);
  const key = (e: KeyboardEvent) => {
    if (KEYS.includes(e.key)) setAt(next(boxes.current, i, e.key));
    else if (e.key === 'Enter' && i >= 0 && p.open) p.open(i);
    else if (e.key === 'Escape' && i >= 0) setAt(-1);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class={`pointed ${p.class}${p.height ? ' tall' : ''}`} style={p.height ? { '--tall': typeof p.height === 'number' ? `${p.height}px` : p.height } : undefined} ref={box}>
      <Canvas
        class="area"
        label={p.label}
        onKey={key}
        draw={(g, w, h) => {
          boxes.current = p.place(w, h);
          size.current = [w, h];
          p.draw(g, boxes.current, w, h);
          const b = boxes.current[i];
          if (!b?.w) return;
          g.strokeStyle = css('panel');
          g.lineWidth = 4;
          g.strokeRect(b.x, b.y, b.w, b.h);
          g.strokeStyle = css('ink');
          g.lineWidth = 2;
          g.strokeRect(b.x, b.y, b.w, b.h);
        }}
        onMove={(x, y) => setAt(find(x, y))}
        onLeave={() => setAt(-1)}
        onClick={(x, y) => {
          const k = find(x, y);
          if (k >= 0) p.open?.(k);
        }}
      />
      {i >= 0 && (
        <div class="tip" ref={tip} aria-hidden="true">
          {p.describe(i)}
        </div>
      )}
      <p class="under" aria-live="polite">
        {i >= 0 ? p.describe(i) : p.hint}
      </p>
    </div>
  );
}

/** Equal cells in lines, as large as fits. */
export function inLines(n: number): (w: number, h: number) => Box[] {
  return (w, h) => {
    const side = Math.max(3, Math.floor(Math.sqrt((w * h) / Math.max(1, n))));
    const across = Math.max(1, Math.floor(w / side));
    const wide = w / across;
    const high = Math.min(side * 1.5, h / Math.max(1, Math.ceil(n / across)));
    const out: Box[] = [];
    for (let i = 0; i < n; i++)
      out.push({ x: (i % across) * wide, y: Math.floor(i / across) * high, w: wide - 1, h: Math.max(1, high - 1) });
    return out;
  };
}
