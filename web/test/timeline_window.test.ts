// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { around, bringIn, clamp, length, NARROWEST, newest, pan, serves, toward, wanted, whole, zoom } from '../src/timeline/window';

const SPAN = { from: 1e12, to: 1e12 + 1e10 };
const W = { from: 1e12 + 4e9, to: 1e12 + 5e9 };

test('zooming keeps the moment under the pointer where it is', () => {
  for (const at of [0, 0.25, 0.9]) {
    const time = W.from + at * length(W);
    const near = zoom(W, 0.1, at, SPAN);
    assert(Math.abs(near.from + at * length(near) - time) < 1);
    assert(Math.abs(length(near) - 1e8) < 1);
  }
});

test('zooming there and back ends where it began', () => {
  const back = zoom(zoom(W, 0.2, 0.3, SPAN), 5, 0.3, SPAN);
  assert(Math.abs(back.from - W.from) < 10 && Math.abs(back.to - W.to) < 10);
});

test('a window is neither too narrow nor wider than what there is', () => {
  let w = W;
  for (let i = 0; i < 100; i++) w = zoom(w, 0.5, 0.5, SPAN);
  assert.equal(Math.round(length(w)), NARROWEST);
  for (let i = 0; i < 100; i++) w = zoom(w, 2, 0.5, SPAN);
  assert(length(w) >= length(SPAN) && length(w) < length(SPAN) * 1.1);
  assert(w.from <= SPAN.from && w.to >= SPAN.to);
});

test('half of the window stays where there is something', () => {
  let w = W;
  for (let i = 0; i < 100; i++) w = pan(w, 0.5, SPAN);
  assert.equal((w.from + w.to) / 2, SPAN.to);
  for (let i = 0; i < 100; i++) w = pan(w, -0.5, SPAN);
  assert.equal((w.from + w.to) / 2, SPAN.from);
  assert.equal(Math.round(length(w)), 1e9);
});

test('a slice is shown with what is around it, a point too', () => {
  for (const duration of [0, 5, 1e6, 9e9]) {
    const w = around(W.from, duration, SPAN);
    assert(w.from <= W.from && w.to >= Math.min(W.from + duration, SPAN.to));
    assert(length(w) > duration);
  }
});

test('what is seen already does not move the window', () => {
  assert.equal(bringIn(W, W.from + 4e8, 1e6, SPAN), W);
  const moved = bringIn(W, W.from - 3e9, 1e6, SPAN);
  assert.equal(Math.round(length(moved)), Math.round(length(W)));
  assert(moved.from < W.from - 3e9 && moved.to > W.from - 3e9 + 1e6);
});

test('following shows the newest, as wide as before', () => {
  const w = newest(W, SPAN);
  assert(w.to >= SPAN.to && w.from < SPAN.to && Math.round(length(w)) === 1e9);
});

test('gliding gets there', () => {
  let w = W;
  const goal = whole(SPAN);
  for (let i = 0; i < 200 && w !== goal; i++) w = toward(w, goal, 0.3);
  assert.equal(w, goal);
});

test('as much again is asked for on either side, and nothing that is not there', () => {
  assert.deepEqual(wanted(W, SPAN), { from: W.from - 1e9, to: W.to + 1e9 });
  assert.deepEqual(wanted(whole(SPAN), SPAN), SPAN);
  const odd = wanted({ from: SPAN.from + 0.5, to: SPAN.from + 100.5 }, SPAN);
  assert(Number.isInteger(odd.from) && Number.isInteger(odd.to));
});

test('what is here serves while it reaches far enough and is about as fine', () => {
  const had = { ...wanted(W, SPAN), pixel: 1e6, known: SPAN.to };
  assert(serves(had, W, 1e6, SPAN));
  assert(serves(had, pan(W, 0.9, SPAN), 1e6, SPAN));
  assert(!serves(had, pan(W, 1.1, SPAN), 1e6, SPAN));
  assert(!serves(had, zoom(W, 0.5, 0.5, SPAN), 0.5e6, SPAN), 'too coarse');
  assert(serves({ ...had, pixel: 1 }, W, 0.1, SPAN), 'there is nothing finer than a nanosecond');
});

test('when more is known that is seen, it is asked for', () => {
  const w = newest(W, SPAN);
  const had = { ...wanted(w, SPAN), pixel: 1e6, known: SPAN.to };
  assert(serves(had, w, 1e6, SPAN));
  assert(!serves(had, w, 1e6, { from: SPAN.from, to: SPAN.to + 1e6 }));
  assert(serves(had, pan(w, -0.5, SPAN), 1e6, { from: SPAN.from, to: SPAN.to + 1e6 }), 'what is over does not change');
});

test('nothing is asked for where nothing is', () => {
  const had = { from: 0, to: 1, pixel: 1, known: 1 };
  assert(serves(had, { from: SPAN.to + 5, to: SPAN.to + 10 }, 1, SPAN));
});

test('clamping what is fine changes nothing', () => {
  assert.deepEqual(clamp(W, SPAN), W);
});
