// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The pointer on the timeline: what a wheel, a drag and a click do.
import { OVERVIEW, TOP } from './paint';
import type { Scope } from './scope';
import { length } from './window';

const WHEEL = 0.0022; // of the logarithm of the width, a pixel of the wheel
const CLICK = 4; // pixels that a click may move
const LINE = 16; // pixels a line of wheels that count lines

type Drag = 'pan' | 'area' | 'overview';

/** Returns what takes them off again. */
export function listen(canvas: HTMLCanvasElement, scope: Scope): () => void {
  const { screen } = scope;
  let drag: Drag | null = null;
  let from = { x: 0, y: 0, time: 0, scroll: 0 };
  let moved = false;

  const where = (e: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: (e.clientX - box.left) / screen.point, y: (e.clientY - box.top) / screen.point };
  };
  const overviewTime = (x: number) => {
    const span = scope.feed.extent!;
    return span.from + scope.screen.part(x) * length(span);
  };

  const wheel = (e: WheelEvent) => {
    e.preventDefault();
    const { x, y } = where(e);
    const unit = e.deltaMode === 1 ? LINE : e.deltaMode === 2 ? 400 : 1;
    const [dx, dy] = [(e.deltaX * unit) / screen.point, (e.deltaY * unit) / screen.point];
    const sideways = e.shiftKey ? dx || dy : dx;
    if (x < screen.left && y > TOP && !e.ctrlKey) scope.scrollBy(dy);
    else if (sideways && Math.abs(sideways) >= Math.abs(e.shiftKey ? 0 : dy)) scope.motion.panBy(sideways / (screen.width - screen.left), false);
    else scope.zoomBy(Math.exp(dy * (e.ctrlKey ? 3 : 1) * WHEEL), Math.max(x, screen.left));
  };

  const down = (e: PointerEvent) => {
    if (e.button !== 0 || !scope.win || !scope.feed.span) return;
    const { x, y } = where(e);
    from = { x, y, time: scope.timeAt(x), scroll: scope.scroll };
    moved = false;
    if (x < screen.left) drag = null;
    else if (y < OVERVIEW) {
      drag = 'overview';
      scope.motion.center(overviewTime(x));
    } else drag = e.shiftKey || y < TOP ? 'area' : 'pan';
    canvas.setPointerCapture(e.pointerId);
    canvas.focus({ preventScroll: true });
  };

  const move = (e: PointerEvent) => {
    const at = where(e);
    scope.pointer = at;
    if (!drag) {
      scope.hoverAt();
      scope.wake();
      return;
    }
    if (!moved && Math.hypot(at.x - from.x, at.y - from.y) < CLICK) return;
    moved = true;
    scope.onHover?.(null, 0, 0);
    if (drag === 'overview') scope.motion.center(overviewTime(at.x));
    else if (drag === 'area') {
      const time = scope.timeAt(at.x);
      scope.draft = { from: Math.min(from.time, time), to: Math.max(from.time, time) };
      scope.wake();
    } else {
      scope.motion.panBy((from.time - scope.timeAt(at.x)) / length(scope.win!), false);
      scope.scroll = Math.round(from.scroll - (at.y - from.y));
    }
  };

  const cancel = () => {
    drag = scope.draft = null;
  };

  const up = (e: PointerEvent) => {
    const { x, y } = where(e);
    const was = drag;
    drag = null;
    const area = scope.draft;
    scope.draft = null;
    if (was === 'area' && area) return scope.setArea(area);
    if (moved || y < TOP || !scope.win) return;
    if (x < screen.left) {
      const hit = scope.rowAt(y);
      if (!hit) return;
      if (hit.row.folds && (hit.row.level === 0 || x < 20)) scope.fold(hit.row.key);
      else if (hit.row.pinned && x < 20) scope.pin(hit.row.lane!.id);
      else if (hit.row.lane) {
        scope.cursor = hit.row.lane.id;
        void scope.choose(null);
        scope.cursor = hit.row.lane.id;
      }
      return;
    }
    const hit = scope.rowAt(y);
    if (hit?.row.level === 0) scope.fold(hit.row.key);
    else void scope.choose(scope.sliceAt(x, y));
  };

  const leave = () => {
    scope.pointer = null;
    scope.hoverAt();
    scope.wake();
  };
  const twice = () => scope.focus();

  canvas.addEventListener('wheel', wheel, { passive: false });
  canvas.addEventListener('pointerdown', down);
  canvas.addEventListener('pointermove', move);
  canvas.addEventListener('pointerup', up);
  canvas.addEventListener('pointercancel', cancel);
  canvas.addEventListener('pointerleave', leave);
  canvas.addEventListener('dblclick', twice);
  return () => {
    canvas.removeEventListener('wheel', wheel);
    canvas.removeEventListener('pointerdown', down);
    canvas.removeEventListener('pointermove', move);
    canvas.removeEventListener('pointerup', up);
    canvas.removeEventListener('pointercancel', cancel);
    canvas.removeEventListener('pointerleave', leave);
    canvas.removeEventListener('dblclick', twice);
  };
}
