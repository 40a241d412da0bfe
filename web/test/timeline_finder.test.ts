// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Finder } from '../src/timeline/finder';
import type { Scope, Slice } from '../src/timeline/scope';

const LANE = 7;

/** A counter of stretches of 10 ns from 0 to 100, of which as much is here as `known` says. */
function begin() {
  const shown: [number, number][] = [];
  const scope = {
    chosen: null as Slice | null,
    cursor: LANE,
    text: '',
    known: 0,
    feed: { lanes: new Map([[LANE, { kind: 'counter' }]]), span: { from: 0, to: 100 } },
    motion: { goal: { from: 0, to: 50 }, bringIn: (start: number, duration: number) => void shown.push([start, duration]) },
    countAt: (lane: number, at: number) => (at < scope.known ? ({ lane, start: Math.floor(at / 10) * 10, duration: 10 } as Slice) : null),
    choose: (s: Slice) => {
      finder.await(null);
      scope.chosen = s;
    },
    reveal: () => undefined,
  };
  const finder = new Finder(scope as unknown as Scope, () => undefined, () => undefined);
  const press = async (back = false) => {
    finder.next(back, false);
    await new Promise((done) => setTimeout(done));
  };
  return { scope, finder, shown, press };
}

test('a key on a counter that is not here yet is about it as soon as it is', async () => {
  const { scope, finder, shown, press } = begin();
  await press();
  assert.equal(scope.chosen, null);
  assert.deepEqual(shown, [[25, 0]], 'so that it is asked for');
  scope.known = 30;
  await finder.heard();
  assert.equal(scope.chosen!.start, 20);
  await press();
  assert.deepEqual([scope.chosen!.start, shown[shown.length - 1]], [20, [30.5, 0]], 'what is beyond is waited for, too');
  scope.known = 100;
  await finder.heard();
  assert.equal(scope.chosen!.start, 30);
  await press(true);
  await press(true);
  assert.deepEqual([scope.chosen!.start, shown[shown.length - 1]], [10, [10, 10]]);
});

test('beyond the ends of a counter there is nothing to wait for', async () => {
  const { scope, finder, shown, press } = begin();
  scope.known = 100;
  await press();
  for (let i = 0; i < 9; i++) await press();
  assert.equal(scope.chosen!.start, 90);
  const n = shown.length;
  await press();
  assert.equal(shown.length, n);
  scope.known = 200;
  await finder.heard();
  assert.equal(scope.chosen!.start, 90);
  for (let i = 0; i < 11; i++) await press(true);
  assert.equal(scope.chosen!.start, 0);
});
