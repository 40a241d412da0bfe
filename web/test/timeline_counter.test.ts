// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf, counted, countText, gapsOf, mostOf, roundAbove, stretchOf, valueText } from '../src/timeline/counter';
import type { LaneData } from '../src/timeline/frame';

const U = (...n: number[]) => Uint32Array.from(n);
/** From 1000 ns on: a cut stretch, a whole one, nothing for a while, one beyond 32 bits. */
const DATA: LaneData = { id: 1, n: 3, rows: [0, 3], from: 1000, to: 2000, unit: 10, start: U(0, 5, 40), duration: U(5, 10, 10), name: U(2, 6, 1), info: U(0, 0, 1 << 16) };
const RATE = { unit: 'calls' };
const LEVEL = { unit: 'tasks', level: true };
const SPAN = { from: 1000, to: 1900 };

test('all stretches are as long as the longest, but for those that are cut', () => {
  assert.equal(stretchOf(DATA), 100);
  assert.equal(stretchOf({ ...DATA, n: 0 }), 10);
});

test('what was counted at a time', () => {
  assert.deepEqual(counted(RATE, DATA, 1000, SPAN), { start: 1000, duration: 50, amount: 2, value: 2e7, off: false });
  assert.deepEqual(counted(RATE, DATA, 1149, SPAN), { start: 1050, duration: 100, amount: 6, value: 6e7, off: false });
  assert.deepEqual(counted(RATE, DATA, 1150, SPAN), { start: 1150, duration: 250, amount: 0, value: 0, off: false });
  assert.deepEqual(counted(RATE, DATA, 1450, SPAN), { start: 1400, duration: 100, amount: 2 ** 32 + 1, value: (2 ** 32 + 1) * 1e7, off: false });
  assert.deepEqual(counted(RATE, DATA, 1600, SPAN), { start: 1500, duration: 400, amount: 0, value: 0, off: false });
  for (const time of [999, 1900, 2500]) assert.equal(counted(RATE, DATA, time, SPAN), null);
  assert.deepEqual(counted(RATE, { ...DATA, n: 0 }, 1500, SPAN), { start: 1000, duration: 900, amount: 0, value: 0, off: false });
});

test('where it did not count there is no zero', () => {
  const OFF = { ...RATE, off: [[0, 1020], [1160, 1200], [1220, 1300], [1700, null]] as [number, number | null][] };
  assert.deepEqual(gapsOf(OFF, SPAN), [{ from: 1000, to: 1020 }, { from: 1160, to: 1200 }, { from: 1220, to: 1300 }, { from: 1700, to: 1900 }]);
  assert.deepEqual(gapsOf(OFF, { from: 1020, to: 1160 }), []);
  assert.deepEqual(counted(OFF, DATA, 1010, SPAN), { start: 1000, duration: 20, amount: 0, value: 0, off: true });
  assert.deepEqual(counted(OFF, DATA, 1159, SPAN), { start: 1150, duration: 10, amount: 0, value: 0, off: false });
  assert.deepEqual(counted(OFF, DATA, 1160, SPAN), { start: 1160, duration: 40, amount: 0, value: 0, off: true });
  assert.deepEqual(counted(OFF, DATA, 1210, SPAN), { start: 1200, duration: 20, amount: 0, value: 0, off: false });
  assert.deepEqual(counted(OFF, DATA, 1399, SPAN), { start: 1300, duration: 100, amount: 0, value: 0, off: false });
  assert.deepEqual(counted(OFF, DATA, 1450, SPAN), { start: 1400, duration: 100, amount: 2 ** 32 + 1, value: (2 ** 32 + 1) * 1e7, off: false });
  assert.deepEqual(counted(OFF, DATA, 1600, SPAN), { start: 1500, duration: 200, amount: 0, value: 0, off: false });
  assert.deepEqual(counted(OFF, DATA, 1899, SPAN), { start: 1700, duration: 200, amount: 0, value: 0, off: true });
});

test('the highest rate is that of what is seen', () => {
  assert.equal(mostOf(RATE, DATA, 100, { from: 1000, to: 1300 }), 6e7);
  assert.equal(mostOf(RATE, DATA, 100, { from: 1149, to: 1300 }), 6e7);
  assert.equal(mostOf(RATE, DATA, 100, { from: 1150, to: 1400 }), 0);
  assert.equal(mostOf(RATE, DATA, 100, { from: 1150, to: 1401 }), (2 ** 32 + 1) * 1e7);
});

test('scales end at round numbers', () => {
  assert.deepEqual([0, 1, 3, 12, 500, 501, 60100].map((n) => roundAbove(n)), [1, 1, 3, 15, 500, 600, 80000]);
  assert.deepEqual([0, 1, 3, 1024, 1025].map((n) => roundAbove(n, 'bytes')), [1, 1, 3, 1024, 1536]);
});

test('columns are as high as the highest that lies in them', () => {
  // 100 ns a pixel: the first two stretches share one
  assert.deepEqual([...columnsOf(RATE, DATA, 100, 3, 0.01, 3, 9, 6e7)], [1, 0, 0, 0, 1, 0]);
  // 10 ns a pixel: a stretch is ten wide, and cut at the left
  const wide = columnsOf(RATE, DATA, 100, -10, 0.1, 0, 10, 12e7);
  assert.deepEqual([...wide], [0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0]);
});

test('of a level the mean is shown, of a cut stretch that of what is left', () => {
  const tasks = { ...DATA, name: U(50, 250, 100), info: U(0, 0, 0) };
  assert.equal(mostOf(LEVEL, tasks, 100, { from: 1000, to: 1300 }), 2.5);
  assert.equal(mostOf(LEVEL, tasks, 100, { from: 1000, to: 1050 }), 1);
  assert.deepEqual(counted(LEVEL, tasks, 1100, SPAN), { start: 1050, duration: 100, amount: 250, value: 2.5, off: false });
  assert.equal(columnsOf(LEVEL, tasks, 100, -10, 0.1, 0, 10, 5)[0], 0.5);
});

test('in words', () => {
  assert.equal(valueText(12, RATE), '12 calls/s');
  assert.equal(valueText(123450, { unit: 'switches' }), '123k switches/s');
  assert.equal(valueText(1 / 3, { unit: 'traps' }), '0.333 traps/s');
  assert.equal(valueText(4096, { unit: 'bytes' }), '4 KiB/s');
  assert.equal(valueText(1 / 3, { unit: 'bytes' }), '0.333 B/s');
  assert.equal(valueText(2.5, LEVEL), '2.5 tasks');
  assert.equal(countText(1234567, 'bytes'), '1\u202f234\u202f567 bytes');
});
