// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisOf, exactText, step, timeText } from '../src/timeline/axis';

const plain = (s: string) => s.replace(/\u202f/g, ' ');

test('steps are 1, 2 and 5 times a power of ten', () => {
  assert.deepEqual([0.3, 1, 1.1, 2, 3, 7, 10, 11, 480].map(step), [1, 1, 2, 2, 5, 10, 10, 20, 500]);
});

test('times have the unit that suits them, and the digits that tell them apart', () => {
  assert.equal(plain(timeText(1_500_000_000, 1e8)), '1.5 s');
  assert.equal(plain(timeText(1_500_000, 1e5)), '1.5 ms');
  assert.equal(plain(timeText(250, 1)), '250 ns');
  assert.equal(plain(timeText(-2_000, 1000)), '−2 µs');
  assert.equal(plain(timeText(13_543_200_000_000, 1e9, 's')), '13 543 s');
  assert.equal(plain(timeText(0, 1e6, 'ms')), '0 ms');
});

test('the pointer’s time is exact to the nanosecond', () => {
  assert.equal(plain(exactText(1_234_567_891)), '1.234 567 891 s');
  assert.equal(plain(exactText(5)), '0.000 000 005 s');
});

test('marks are apart, inside, and different', () => {
  for (const width of [100, 7e3, 3e6, 2e9, 6e11])
    for (const from of [0, 12345, 3.3e9, 1e14]) {
      const w = { from: from, to: from + width };
      const a = axisOf(w, 1000, 100, 0);
      assert(a.marks.length >= 3 && a.marks.length <= 11, `${width} ${from}: ${a.marks.length}`);
      assert(a.marks.every((m) => m.time >= w.from - 1 && m.time <= w.to + 1));
      assert.equal(new Set(a.marks.map((m) => m.text)).size, a.marks.length, a.marks.map((m) => m.text).join());
      assert(a.marks.every((m) => m.text.length <= 16), a.marks.map((m) => m.text).join());
    }
});

test('far from zero, marks count from a round moment that is told', () => {
  const a = axisOf({ from: 5e9 + 1000, to: 5e9 + 4000 }, 1000, 100, 0);
  assert(a.base > 0 && a.base <= 5e9 + 1000 && a.baseText.length > 0);
  assert(a.marks.every((m) => m.text.startsWith('+')));
  assert.equal(axisOf({ from: 7e9, to: 9e9 }, 1000, 100, 7e9).base, 0);
});
