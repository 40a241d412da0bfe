// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The canvas: its size, what it is drawn with, and when it has to be drawn anew.
import { Colors } from './colors';
import { Masks, Raster } from './raster';

const HEADINGS = 220; // CSS pixels

export class Screen {
  canvas: HTMLCanvasElement | null = null;
  g: CanvasRenderingContext2D | null = null;
  raster: Raster | null = null;
  private letters: Masks | null = null;
  private shades: Colors | null = null;

  /** changed: its size or the scheme of colours is another. Returns what gives the canvas back. */
  attach(canvas: HTMLCanvasElement, changed: () => void): () => void {
    this.canvas = canvas;
    this.g = canvas.getContext('2d', { alpha: false });
    const again = () => {
      this.shades = null;
      changed();
    };
    const sizes = new ResizeObserver(changed);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    sizes.observe(canvas);
    scheme.addEventListener('change', again);
    this.shades = null;
    this.raster = null;
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', again);
      if (this.canvas === canvas) this.canvas = this.g = null;
    };
  }

  get width(): number {
    return this.canvas?.clientWidth ?? 0;
  }

  get height(): number {
    return this.canvas?.clientHeight ?? 0;
  }

  /** Where time begins: headings are left of it. */
  get left(): number {
    return Math.min(HEADINGS, Math.round(this.width * 0.3));
  }

  /** Where a part (0 to 1) of the time is at x. */
  part(x: number): number {
    return (x - this.left) / Math.max(1, this.width - this.left);
  }

  /** Pixels of the canvas's size now. */
  pixels(): Raster {
    const scale = devicePixelRatio || 1;
    const [w, h] = [Math.max(1, Math.round(this.width * scale)), Math.max(1, Math.round(this.height * scale))];
    if (!this.raster || this.raster.w !== w || this.raster.h !== h || this.raster.scale !== scale) {
      if (this.raster?.scale !== scale) this.letters = null;
      this.raster = new Raster(w, h, scale);
      this.canvas!.width = w;
      this.canvas!.height = h;
    }
    return this.raster;
  }

  /** Names have other colours now. */
  recolor(): void {
    this.shades = null;
  }

  get masks(): Masks {
    return (this.letters ??= new Masks(devicePixelRatio || 1));
  }

  get colors(): Colors {
    return (this.shades ??= new Colors());
  }
}
