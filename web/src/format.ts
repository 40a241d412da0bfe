// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Values as text.
import type { Column, Value } from './protocol';

export function bytes(v: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (v >= 1024 && i < units.length - 1) {
    v /= 1024;
    i++;
  }
  return `${i ? v.toFixed(1) : v} ${units[i]}`;
}

export function duration(ns: number): string {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(2)} ms`;
  if (ns < 60e9) return `${(ns / 1e9).toFixed(2)} s`;
  const s = Math.floor(ns / 1e9);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** A moment of the host's clock, ns, in seconds. */
export function moment(ns: number): string {
  return (ns / 1e9).toFixed(6);
}

export function count(v: number): string {
  if (v < 1e4) return Number.isInteger(v) ? String(v) : v.toFixed(1);
  if (v < 1e6) return `${(v / 1e3).toFixed(1)}k`;
  return v < 1e9 ? `${(v / 1e6).toFixed(1)}M` : `${(v / 1e9).toFixed(1)}G`;
}

export function cell(c: Column, v: Value): string {
  if (v === null) return '–';
  if (typeof v === 'number') {
    if (c.kind === 'bytes') return bytes(v);
    if (c.kind === 'duration') return duration(v);
    if (c.kind === 'real') return v.toFixed(1);
    if (c.name === 'time') return moment(v);
  }
  if (typeof v === 'boolean') return v ? 'yes' : '';
  return String(v);
}

export function isNumber(c: Column): boolean {
  return ['uint', 'int', 'bytes', 'duration', 'real'].includes(c.kind);
}
