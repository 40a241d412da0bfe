// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Colours that the colour-blind tell apart (Okabe and Ito), as names of app.css.

export const MODES: [field: string, name: string, color: string][] = [
  ['user', 'user', 'green'],
  ['kernel', 'kernel', 'vermilion'],
  ['firmware', 'firmware', 'purple'],
  ['guest_kernel', 'VM kernel', 'orange'],
  ['guest_user', 'VM user', 'yellow'],
  ['idle', 'idle', 'idle'],
  ['unknown', 'not known', 'unknown'],
];

const OWNERS: Record<string, string> = {
  free: 'free',
  anon: 'green',
  file: 'sky',
  slab: 'orange',
  pagetable: 'purple',
  kernel: 'blue',
  reserved: 'vermilion',
  unmanaged: 'unknown',
};

export function ownerColor(owner: string): string {
  return OWNERS[owner] ?? 'yellow';
}

/** Kinds of traps: the fields of `report traps`' rates, and what its causes call them. */
export const TRAPS: [field: string, kind: string, color: string][] = [
  ['timer', 'timer', 'sky'],
  ['external', 'external', 'orange'],
  ['ipi', 'IPI', 'purple'],
  ['interrupt', 'interrupt', 'yellow'],
  ['page_fault', 'page fault', 'vermilion'],
  ['syscall', 'syscall', 'green'],
  ['other', 'other', 'unknown'],
];

/** For things that have no colour of their own, one after the other. */
export const SERIES = ['blue', 'orange', 'green', 'purple', 'sky', 'vermilion', 'yellow'];

/** A colour's value, for canvases. */
export function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || '#888';
}

/** What memory may be used for, and its colour. Written and executed is what nobody should see. */
export const RIGHTS: [name: string, color: string][] = [
  ['read', 'sky'],
  ['write', 'orange'],
  ['execute', 'purple'],
  ['write and execute', 'vermilion'],
  ['none', 'unknown'],
];

/** perm: as of `vm` or `pt`. */
export function rightsColor(perm: string): string {
  const [w, x] = [/w/i.test(perm), /x/i.test(perm)];
  if (w && x) return 'vermilion';
  return x ? 'purple' : w ? 'orange' : /r/i.test(perm) ? 'sky' : 'unknown';
}

/** How much larger than usual text is on this screen: app.css says it. */
export function scale(): number {
  return (parseFloat(getComputedStyle(document.documentElement).fontSize) || 13) / 13;
}

/** A font for canvases; px: its usual size. */
export function font(px: number, weight = ''): string {
  return `${weight} ${px * scale()}px system-ui, 'DejaVu Sans', sans-serif`;
}
