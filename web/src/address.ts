// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Addresses: 64 bits, more than a number of the page holds.

export const HALF = 1n << 63n; // where the kernel's half begins

/** As messages and addresses of the page have it. */
export function hex(v: bigint): string {
  return `0x${BigInt.asUintN(64, v).toString(16)}`;
}

/** What somebody typed, with or without 0x; undefined: it is no address. */
export function address(text?: string): bigint | undefined {
  const digits = text?.trim().replace(/_/g, '').match(/^(?:0x)?([0-9a-f]{1,16})$/i)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** A range as the page's address has it: "0x1000-0x2000". */
export function range(text?: string): [bigint, bigint] | undefined {
  const [from, to] = (text ?? '').split('-').map(address);
  return from !== undefined && to !== undefined && (to > from || !to) ? [from, to] : undefined;
}

/** Of a process or thread, if it is one. */
export function taskId(text?: string): number | undefined {
  const n = /^-?\d{1,10}$/.test(text ?? '') ? Number(text) : NaN;
  return n >= -1 && n <= 0x7fffffff ? n : undefined;
}
