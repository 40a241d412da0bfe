// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// An address space as a picture: the kernel's half above, the process's areas below, the highest
// address at the top. Sizes are logarithms, and gaps are only marked: to scale nearly all is gap.
import { HALF, hex } from './address';
import { Pointed, type Box } from './cells';
import { bytes } from './format';
import type { Table } from './model';
import { css, font, RIGHTS, rightsColor, scale } from './palette';
import { Legend } from './parts';
import type { Args } from './protocol';
import { store } from './store';
import type { Shown } from './tab';

const NEAR = 1n << 30n; // stretches of the kernel's half that are nearer to each other are drawn as one
const [ADDRESSES, TITLE] = [150, 18]; // pixels where text has its usual size

interface Area {
  start: bigint;
  size: bigint;
  perm: string;
  name: string;
  kernel: boolean;
}

/** What the picture needs of the view "pt". */
export function layoutArgs(): Args {
  return { from: hex(HALF), to: '0x0' };
}

function userAreas(t: Table): Area[] {
  return t.list().map((row) => ({
    start: BigInt(t.text(row, 'start')),
    size: BigInt(t.num(row, 'size')),
    perm: t.text(row, 'perms'),
    name: t.text(row, 'path') || 'anonymous',
    kernel: false,
  }));
}

/** Mapped stretches of the kernel's half; each has the rights that most of its bytes have. */
function kernelAreas(t?: Table): Area[] {
  const out: Area[] = [];
  let weights = new Map<string, number>();
  for (const row of t?.list() ?? []) {
    const start = BigInt(t!.text(row, 'start'));
    const size = BigInt(Math.round(t!.num(row, 'size')));
    const perm = t!.text(row, 'perm').slice(0, 3);
    const last = out[out.length - 1];
    if (last && start - (last.start + last.size) < NEAR) last.size = start + size - last.start;
    else {
      out.push({ start, size, perm, name: '', kernel: true });
      weights = new Map();
    }
    weights.set(perm, (weights.get(perm) ?? 0) + Number(size));
    const area = out[out.length - 1];
    area.perm = [...weights].sort((a, b) => b[1] - a[1])[0][0];
    area.name = `kernel: ${[...weights.keys()].join(', ')}`;
  }
  return out;
}

function weight(a: Area): number {
  return 2 + Math.log2(Math.max(1, Number(a.size) / 4096));
}

/** From the highest address to the lowest. */
function place(areas: Area[], w: number, h: number): Box[] {
  const [LEFT, HEAD] = [ADDRESSES * scale(), TITLE * scale()];
  const users = areas.filter((a) => !a.kernel).length;
  const heads = (users < areas.length ? HEAD : 0) + (users ? HEAD : 0);
  const gap = areas.length > 40 ? 1 : 4;
  const room = Math.max(1, h - heads - gap * areas.length);
  const sum = areas.reduce((n, a) => n + weight(a), 0);
  const wide = Math.max(40, Math.min(220 * scale(), (w - LEFT) * 0.4));
  let y = 0;
  return areas.map((a, i) => {
    if (!i || areas[i - 1].kernel !== a.kernel) y += HEAD;
    const high = (weight(a) / sum) * room;
    const box = { x: LEFT, y, w: wide, h: high };
    y += high + gap;
    return box;
  });
}

function paint(g: CanvasRenderingContext2D, areas: Area[], boxes: Box[], w: number): void {
  const k = scale();
  g.textBaseline = 'middle';
  let below = -Infinity; // the last line of text: they do not overlap
  areas.forEach((a, i) => {
    const b = boxes[i];
    g.fillStyle = css(rightsColor(a.perm));
    g.fillRect(b.x, b.y, b.w, Math.max(1, b.h));
    if (!i || areas[i - 1].kernel !== a.kernel) {
      g.font = font(12, '600');
      g.textAlign = 'left';
      g.fillStyle = css('dim');
      g.fillText(a.kernel ? 'kernel half' : 'user half', b.x, b.y - (TITLE * k) / 2);
      below = Math.max(below, b.y - 12 * k);
    }
    const y = b.y + b.h / 2;
    if (y - below < 13 * k) return;
    below = y;
    g.font = `${11 * k}px ui-monospace, "DejaVu Sans Mono", monospace`;
    g.fillStyle = css('dim');
    g.textAlign = 'right';
    g.fillText(hex(a.start), b.x - 6, y);
    g.textAlign = 'left';
    g.fillStyle = css('ink');
    g.fillText(a.kernel ? a.name : `${a.perm} ${a.name}`, b.x + b.w + 8, y, Math.max(1, w - b.x - b.w - 10));
  });
}

export function Layout({ at, vmas }: { at: Shown; vmas?: Table }) {
  const kernel = store.view(at.guest.id, 'pt')?.table('regions');
  const areas = [...(vmas ? userAreas(vmas) : []), ...kernelAreas(kernel)].sort((a, b) => (a.start < b.start ? 1 : -1));
  if (!areas.length) return <p class="missing">It has no memory of its own: it is a kernel thread.</p>;
  return (
    <>
      <Pointed
        class="layout"
        label={`Address space: ${areas.filter((a) => !a.kernel).length} areas; the table beside has them. Arrow keys go from one to the next.`}
        n={areas.length}
        place={(w, h) => place(areas, w, h)}
        draw={(g, boxes, w) => paint(g, areas, boxes, w)}
        describe={(i) =>
          `${hex(areas[i].start)}–${hex(areas[i].start + areas[i].size)}: ${areas[i].name}, ${areas[i].perm}, ${bytes(Number(areas[i].size))}`
        }
        open={(i) => at.go({ part: 'pt', va: hex(areas[i].start), half: areas[i].kernel ? 'kernel' : undefined })}
        hint="Height: logarithm of the size. Gaps are not to scale. A click shows how it is mapped."
      />
      <Legend items={RIGHTS.map(([name, color]) => [name, color])} />
    </>
  );
}
