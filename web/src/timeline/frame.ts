// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// What the server sends of a window: see src/web/message.h for the bytes. Lanes' columns are views of the message.

export interface Columns {
  n: number;
  start: Uint32Array; // units since `from`
  duration: Uint32Array; // units; 0: a point
  name: Uint32Array;
  info: Uint32Array;
}

/** Slices stand row by row, those of a row by time; they do not overlap. */
export interface LaneData extends Columns {
  id: number;
  rows: number[]; // where each row begins; after the last the end
  from: number; // ns
  to: number;
  unit: number; // ns
}

export interface Flow {
  id: number;
  fromLane: number;
  fromTime: number; // ns
  toLane: number;
  toTime: number;
}

export interface Frame {
  seq: number;
  from: number;
  to: number;
  unit: number;
  lanes: LaneData[];
  flows: Flow[];
}

const HEAD = 40;
const LANE = 8;
const FLOW = 20;

/** null: it is not what it should be. */
export function decode(buffer: ArrayBuffer): Frame | null {
  if (buffer.byteLength < HEAD) return null;
  const v = new DataView(buffer);
  if (v.getUint8(0) !== 0x54 || v.getUint8(1) !== 1) return null;
  const u32 = (at: number) => v.getUint32(at, true);
  const u64 = (at: number) => Number(v.getBigUint64(at, true));
  const frame: Frame = { seq: u32(4), from: u64(8), to: u64(16), unit: u64(24), lanes: [], flows: [] };
  const lanes = u32(32);
  const flows = u32(36);
  let at = HEAD;
  for (let i = 0; i < lanes; i++) {
    if (at + LANE > buffer.byteLength) return null;
    const id = u32(at);
    const n = u32(at + 4);
    at += LANE;
    if (at + n * 16 > buffer.byteLength) return null;
    const column = (k: number) => new Uint32Array(buffer, at + k * n * 4, n);
    const info = column(3);
    frame.lanes.push({ id, n, rows: rowsOf(info), from: frame.from, to: frame.to, unit: frame.unit, start: column(0), duration: column(1), name: column(2), info });
    at += n * 16;
  }
  if (at + flows * FLOW > buffer.byteLength) return null;
  for (let i = 0; i < flows; i++, at += FLOW) {
    const time = (t: number) => frame.from + t * frame.unit;
    frame.flows.push({ id: u32(at), fromLane: u32(at + 4), fromTime: time(u32(at + 8)), toLane: u32(at + 12), toTime: time(u32(at + 16)) });
  }
  return frame;
}

/** A slice's `info`. */
export const depthOf = (info: number) => info & 0xff;
export const classOf = (info: number) => (info >>> 8) & 0xff;
/** How many were merged into it; 0x7fff: that or more. */
export const mergedOf = (info: number) => (info >>> 16) & 0x7fff;
/** Of a counter: what was counted in that stretch of time. */
export const amountOf = (data: Columns, i: number) => data.name[i] + mergedOf(data.info[i]) * 2 ** 32;
/** It goes on beyond what is known. */
export const isOpen = (info: number) => info >>> 31 === 1;

/** Where rows begin. */
export function rowsOf(info: Uint32Array): number[] {
  const rows = [0];
  for (let i = 0; i < info.length; i++) while (depthOf(info[i]) >= rows.length) rows.push(i);
  rows.push(info.length);
  return rows;
}

/** The first of those from `low` to `high` that begins after `units`. */
export function firstAfter(lane: LaneData, units: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.start[middle] > units) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Of that row the slice there, else the nearest within `near` ns; -1: none. */
function pickRow(lane: LaneData, time: number, row: number, near: number): number {
  const at = (time - lane.from) / lane.unit;
  const after = firstAfter(lane, at, lane.rows[row], lane.rows[row + 1]);
  let best = -1;
  let away = near / lane.unit;
  for (const i of [after, after - 1]) {
    if (i < lane.rows[row] || i >= lane.rows[row + 1]) continue;
    const end = lane.start[i] + lane.duration[i];
    const off = at < lane.start[i] ? lane.start[i] - at : Math.max(0, at - end);
    if (off > away) continue;
    best = i;
    away = off;
  }
  return best;
}

/** The slice there; -1: none. Of any row (row < 0) the deepest that contains the time, or the nearest within `near` ns. */
export function pick(lane: LaneData, time: number, row: number, near: number): number {
  if (row >= lane.rows.length - 1) return -1;
  if (row >= 0) return pickRow(lane, time, row, near);
  for (const slack of [0, near])
    for (let r = lane.rows.length - 2; r >= 0; r--) {
      const i = pickRow(lane, time, r, slack);
      if (i >= 0) return i;
    }
  return -1;
}
