// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Table } from '../src/model';
import type { Column, Row } from '../src/protocol';
import { hopsOf, scaleOf, ticksOf, type Hop } from '../src/spread';

function hop(...bins: [number, number][]): Hop {
  return { name: 'entry', count: 0, marks: [], bins: bins.map(([low, high]) => ({ low, high, count: 1, share: 0 })) };
}

const close = (a: number, b: number, what: string) => assert.equal(Math.abs(a - b) < 1e-9, true, `${what}: ${a}`);

test('powers of ten are as far from each other, from the first bin to the last', () => {
  const hops = [hop([1000, 1280]), hop([5000, 6000], [80000, 100000])];
  const x = scaleOf(hops);
  close(x(1000), 0, 'begin');
  close(x(100000), 1, 'end');
  close(x(10000), 0.5, 'middle');
  assert.deepEqual(ticksOf(hops), [1000, 10000, 100000]);
});

test('no time at all has its place before the shortest', () => {
  const hops = [hop([0, 1], [2048, 2560], [8192, 10240])];
  const x = scaleOf(hops);
  assert.equal(x(0), 0);
  close(x(10240), 1, 'end');
  assert.equal(0.05 < x(1) && x(1) < x(2048) && x(2048) < 0.25, true);
  assert.deepEqual(ticksOf(hops), [10000]);
  const nothing = scaleOf([hop([0, 1])]);
  assert.equal(nothing(0) === 0 && nothing(1) > 0 && nothing(1) <= 1, true); // nothing else
  assert.equal(Number.isFinite(scaleOf([])(5)), true);
});

test('a hop has the bins of its line and its name, upwards', () => {
  const columns = (...names: string[]): Column[] => names.map((name) => ({ name, kind: 'uint', doc: '' }));
  const hops = new Table('hops', columns('irq', 'name', 'hop', 'count', 'median', 'p99', 'max'));
  const bins = new Table('distribution', columns('irq', 'name', 'hop', 'low', 'high', 'count', 'share'));
  const rows: Row[] = [['k', 3, 'IPI', 'entry', 5, 1, 2, 3], ['l', null, 'timer', 'entry', 1, 4, 5, 6]];
  hops.apply({ name: 'hops', cut: 0, rows });
  bins.apply({
    name: 'distribution',
    cut: 0,
    rows: [
      ['1', 3, 'IPI', 'entry', 8, 10, 2, 40],
      ['2', 3, 'IPI', 'entry', 4, 5, 3, 60],
      ['3', 3, 'IPI', 'back', 4, 5, 9, 100],
      ['4', 2, 'IPI', 'entry', 4, 5, 9, 100],
      ['5', null, 'timer', 'entry', 7, null, 1, 100],
    ],
  });
  const [ipi, timer] = hopsOf(hops, rows, bins, (name) => `doc of ${name}`);
  assert.deepEqual(ipi.bins, [
    { low: 4, high: 5, count: 3, share: 60 },
    { low: 8, high: 10, count: 2, share: 40 },
  ]);
  assert.deepEqual(ipi.marks, [['green', 1], ['orange', 2], ['vermilion', 3]]);
  assert.equal(ipi.doc, 'doc of entry');
  assert.deepEqual(timer.bins, [{ low: 7, high: 14, count: 1, share: 100 }]); // the last one has no end
});
