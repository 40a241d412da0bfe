// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The canvas: its size, what it is drawn with, and when it has to be drawn anew. What is drawn is measured in points: CSS
// pixels where text has its usual size, and as much larger as text is on a large screen.
import { Colors } from './colors';
import { Masks, Raster } from './raster';
import { scale } from '../palette';

const HEADINGS = 220; // points

export class Screen {
  canvas: HTMLCanvasElement | null = null;
  g: CanvasRenderingContext2D | null = null;
  raster: Raster | null = null;
  width = 0; // points
  height = 0;
  point = 1; // CSS pixels
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
    const measure = () => {
      this.point = scale();
      this.width = canvas.clientWidth / this.point;
      this.height = canvas.clientHeight / this.point;
    };
    const sizes = new ResizeObserver(() => {
      measure();
      changed();
    });
    measure();
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

  /** Where time begins: headings are left of it. */
  get left(): number {
    return Math.min(HEADINGS, Math.round(this.width * 0.3));
  }

  /** Where a part (0 to 1) of the time is at x. */
  part(x: number): number {
    return (x - this.left) / Math.max(1, this.width - this.left);
  }

  /** The canvas's pixels of a point. */
  private get dots(): number {
    return (devicePixelRatio || 1) * this.point;
  }

  /** Pixels of the canvas's size now. */
  pixels(): Raster {
    const { dots } = this;
    const [w, h] = [Math.max(1, Math.round(this.width * dots)), Math.max(1, Math.round(this.height * dots))];
    if (!this.raster || this.raster.w !== w || this.raster.h !== h || this.raster.scale !== dots) {
      if (this.raster?.scale !== dots) this.letters = null;
      this.raster = new Raster(w, h, dots);
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
    return (this.letters ??= new Masks(this.dots));
  }

  get colors(): Colors {
    return (this.shades ??= new Colors());
  }
}
