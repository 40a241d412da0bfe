// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocatedWords, mostTimes, timesOf } from '../src/allocated';
import { View } from '../src/model';
import type { Column, Row, ViewMessage } from '../src/protocol';

const columns = (...names: string[]): Column[] => names.map((name) => ({ name, kind: 'uint', doc: '' }));
const cells: Row[] = [
  ['0x1000', '0x1000', 4096],
  ['0x2000', '0x2000', 8192],
  ['0x4000', '0x4000', 4096],
  ['0x5000', '0x5000', 4096],
];

function mapOf(looks: number, allocated: Row[]): View {
  const view = new View();
  const tables = [
    { name: 'cells', cut: 0, columns: columns('start', 'bytes'), rows: cells },
    { name: 'looks', cut: 0, columns: columns('looks', 'since'), rows: [['0', looks, 77] as Row] },
    { name: 'allocated', cut: 0, columns: columns('start', 'times'), rows: allocated },
  ];
  assert.equal(view.apply({ guest: 'g', view: 'map', as: 0, n: 1, age: 0, took: 0, tables } as ViewMessage, 0), true);
  return view;
}

test('a cell without a row was never allocated; one with null is not followed', () => {
  const map = mapOf(5, [['0x2000', '0x2000', 3], ['0x4000', '0x4000', 1], ['0x5000', '0x5000', null]]);
  assert.deepEqual(cells.map((c) => timesOf(map, c)), [0, 3, 1, null]);
  assert.equal(mostTimes(map), 3);
  assert.equal(timesOf(undefined, cells[0]), undefined);
  assert.equal(timesOf(map, undefined), undefined);
});

test('it is said of how many looks, since when, and what they miss', () => {
  const map = mapOf(5, [['0x2000', '0x2000', 3], ['0x4000', '0x4000', 1], ['0x5000', '0x5000', null]]);
  const missed = ' (what came and went between two looks is not seen)';
  const said = cells.map((c) => allocatedWords(map, c, (ms) => `T${ms}`));
  assert.deepEqual(said, [
    `allocated 0 times in 5 looks since T77000${missed}`,
    `its pages were allocated 3 times in 5 looks since T77000${missed}`,
    `allocated 1 time in 5 looks since T77000${missed}`,
    'how often allocated: not followed, there is too much RAM',
  ]);
  assert.equal(/^allocated 0 times in 1 look since \d\d:\d\d:\d\d \(/.test(allocatedWords(mapOf(1, []), cells[0])), true);
  assert.equal(allocatedWords(undefined, cells[0]), '');
});
