// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Pixels of a canvas, written directly: thousands of boxes and texts take a few milliseconds, whatever draws the page.
import type { Pixel } from './colors';

/** How much of each pixel a text covers. */
interface Mask {
  w: number;
  h: number;
  cover: Uint8ClampedArray;
}

const MASKS = 2000; // kept of a font
const USUAL = 11; // pixels
const FADE = 10; // pixels over which a text ends that is too long

export class Raster {
  readonly image: ImageData;
  readonly px: Uint32Array;
  readonly line: Uint32Array; // to make lines in
  readonly line2: Uint32Array;

  constructor(
    readonly w: number,
    readonly h: number,
    readonly scale: number,
  ) {
    this.image = new ImageData(w, h);
    this.px = new Uint32Array(this.image.data.buffer);
    this.line = new Uint32Array(w);
    this.line2 = new Uint32Array(w);
  }

  fill(x: number, y: number, w: number, h: number, c: Pixel): void {
    const x0 = Math.max(0, x);
    const x1 = Math.min(this.w, x + w);
    const y1 = Math.min(this.h, y + h);
    if (x1 <= x0) return;
    for (let r = Math.max(0, y); r < y1; r++) this.px.fill(c, r * this.w + x0, r * this.w + x1);
  }

  /** The line from x0 to x1, in rows y to y + h, of those the ones from top to bottom only. */
  copy(line: Uint32Array, x0: number, x1: number, y: number, h: number, top: number): void {
    const part = line.subarray(x0, x1);
    const y1 = Math.min(this.h, y + h);
    for (let r = Math.max(top, y); r < y1; r++) this.px.set(part, r * this.w + x0);
  }

  /** One pixel wide, from y0 to y1, of which what is above `top` is left out. */
  column(x: number, y0: number, y1: number, c: Pixel, top: number): void {
    const end = Math.min(this.h, y1) * this.w + x;
    for (let at = Math.max(top, y0) * this.w + x; at < end; at += this.w) this.px[at] = c;
  }

  hatch(x: number, y: number, w: number, h: number, c: Pixel, top: number): void {
    const x1 = Math.min(this.w, x + w);
    const y1 = Math.min(this.h, y + h);
    for (let r = Math.max(top, y); r < y1; r++)
      for (let i = Math.max(0, x) + ((8 - ((Math.max(0, x) + r) & 7)) & 7); i < x1; i += 8) {
        this.px[r * this.w + i] = c;
        if (i + 1 < x1) this.px[r * this.w + i + 1] = c;
      }
  }

  /** Text with its left end at x and its middle at y; no wider than `most`. */
  text(mask: Mask, x: number, y: number, most: number, c: Pixel, top: number, clip = this.w): void {
    const w = Math.min(mask.w, most, clip - x);
    const cut = most < mask.w;
    const fade = FADE * this.scale;
    const y0 = Math.round(y - mask.h / 2);
    const [r1, g1, b1] = [c & 0xff, (c >>> 8) & 0xff, (c >>> 16) & 0xff];
    const from = Math.max(0, top - y0);
    const to = Math.min(mask.h, this.h - y0);
    for (let r = from; r < to; r++) {
      let at = (y0 + r) * this.w + x;
      let m = r * mask.w;
      for (let i = 0; i < w; i++, at++, m++) {
        let a = mask.cover[m];
        if (!a) continue;
        if (cut && i > w - fade) a = (a * (w - i)) / fade;
        const old = this.px[at];
        const b = 255 - a;
        const red = ((old & 0xff) * b + r1 * a) / 255;
        const green = (((old >>> 8) & 0xff) * b + g1 * a) / 255;
        const blue = (((old >>> 16) & 0xff) * b + b1 * a) / 255;
        this.px[at] = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
      }
    }
  }
}

/** Texts as they are covered, each drawn once. */
export class Masks {
  private kept = new Map<string, Map<string, Mask>>(); // by font, by text
  private g: CanvasRenderingContext2D;
  private static readonly WIDE = 1024;
  private static readonly HIGH = 64;

  constructor(private scale: number) {
    const c = document.createElement('canvas');
    c.width = Masks.WIDE;
    c.height = Masks.HIGH;
    this.g = c.getContext('2d', { willReadFrequently: true, alpha: false })!;
  }

  /** size: points. */
  get(text: string, size: number, weight = ''): Mask {
    const font = size === USUAL && !weight ? '' : `${weight} ${size}`;
    let kept = this.kept.get(font);
    if (!kept) this.kept.set(font, (kept = new Map()));
    let mask = kept.get(text);
    if (mask) return mask;
    const g = this.g;
    g.font = `${weight} ${size * this.scale}px system-ui, 'DejaVu Sans', sans-serif`;
    const w = Math.max(1, Math.min(Masks.WIDE, Math.ceil(g.measureText(text).width) + 1));
    const h = Math.min(Masks.HIGH, Math.ceil(size * this.scale * 1.4));
    g.fillStyle = '#000';
    g.fillRect(0, 0, w, h);
    g.fillStyle = '#fff';
    g.textBaseline = 'middle';
    g.fillText(text, 0, h / 2 + 0.5);
    const rgba = g.getImageData(0, 0, w, h).data;
    const cover = new Uint8ClampedArray(w * h);
    for (let i = 0; i < cover.length; i++) cover[i] = rgba[i * 4 + 1];
    mask = { w, h, cover };
    if (kept.size > MASKS) kept.clear();
    kept.set(text, mask);
    return mask;
  }
}
