// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classOf, decode, depthOf, isOpen, mergedOf, pick } from '../src/timeline/frame';

type Item = [start: number, duration: number, name: number, info: number];

/** The bytes of a frame of seq 7 from 1e12 on, in units of 10 ns. */
function bytes(lanes: [id: number, items: Item[]][], flows: number[][] = []): ArrayBuffer {
  const size = 40 + lanes.reduce((n, [, items]) => n + 8 + items.length * 16, 0) + flows.length * 20;
  const v = new DataView(new ArrayBuffer(size));
  v.setUint8(0, 0x54);
  v.setUint8(1, 1);
  v.setUint32(4, 7, true);
  v.setBigUint64(8, 1_000_000_000_000n, true);
  v.setBigUint64(16, 1_000_000_010_000n, true);
  v.setBigUint64(24, 10n, true);
  v.setUint32(32, lanes.length, true);
  v.setUint32(36, flows.length, true);
  let at = 40;
  const put = (n: number) => {
    v.setUint32(at, n, true);
    at += 4;
  };
  for (const [id, items] of lanes) {
    put(id);
    put(items.length);
    for (let k = 0; k < 4; k++) for (const item of items) put(item[k]);
  }
  for (const flow of flows) flow.forEach(put);
  return v.buffer;
}

const ITEMS: Item[] = [
  [0, 100, 1, 0],
  [200, 0, 3, (5 << 8) | (40 << 16)],
  [300, 50, 4, 0x80000000 >>> 0],
  [10, 20, 2, 1],
];

test('a frame is what was sent', () => {
  const f = decode(bytes([[3, ITEMS], [9, []]], [[1, 3, 5, 9, 20]]))!;
  assert.deepEqual([f.seq, f.from, f.to, f.unit], [7, 1e12, 1e12 + 1e4, 10]);
  assert.deepEqual(f.lanes.map((l) => [l.id, l.n]), [[3, 4], [9, 0]]);
  assert.deepEqual([...f.lanes[0].start], [0, 200, 300, 10]);
  assert.deepEqual([...f.lanes[0].name], [1, 3, 4, 2]);
  assert.deepEqual(f.lanes.map((l) => l.rows), [[0, 3, 4], [0, 0]]);
  assert.deepEqual(f.flows, [{ id: 1, fromLane: 3, fromTime: 1e12 + 50, toLane: 9, toTime: 1e12 + 200 }]);
});

test('info is taken apart', () => {
  const info = (2 | (5 << 8) | (0x7fff << 16) | 0x80000000) >>> 0;
  assert.deepEqual([depthOf(info), classOf(info), mergedOf(info), isOpen(info)], [2, 5, 0x7fff, true]);
  assert.equal(isOpen(0x7fffffff), false);
});

test('what is cut short, or of another kind, is refused', () => {
  const whole = bytes([[3, ITEMS]], [[1, 3, 5, 9, 20]]);
  for (let n = 0; n < whole.byteLength; n++) assert.equal(decode(whole.slice(0, n)), null, `${n} bytes`);
  const wrong = whole.slice(0);
  new DataView(wrong).setUint8(1, 2);
  assert.equal(decode(wrong), null);
  const many = whole.slice(0);
  new DataView(many).setUint32(44, 0xffffffff, true);
  assert.equal(decode(many), null);
});

test('the slice under the pointer is the innermost, a near one if there is none', () => {
  const [lane] = decode(bytes([[3, ITEMS]]))!.lanes;
  const at = (units: number, depth: number, near = 0) => pick(lane, 1e12 + units * 10, depth, near);
  assert.equal(at(15, -1), 3);
  assert.equal(at(15, 0), 0);
  assert.equal(at(15, 2), -1);
  assert.equal(at(60, -1), 0);
  assert.equal(at(190, -1), -1);
  assert.equal(at(190, -1, 150), 1);
  assert.equal(at(205, -1, 150), 1);
  assert.equal(at(340, -1), 2);
  assert.equal(at(5000, -1, 100), -1);
});
