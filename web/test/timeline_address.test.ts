// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed } from '../src/place';
import { readPlace, writePlace } from '../src/timeline/address';

test('what is written is read again', () => {
  const p = { win: { from: 1e12, to: 2e12 }, lane: 3, at: 1.5e12, pins: [3, 9], folded: ['cpus', 'task7'], sel: { from: 1, to: 5 }, text: 'read & write' };
  assert.deepEqual(readPlace(changed({}, writePlace(p))), p);
  const none = { win: null, lane: null, at: null, pins: [], folded: ['counters'], sel: null, text: '' };
  assert.deepEqual(changed({ from: '1', pins: '4' }, writePlace(none)), {});
  assert.deepEqual(readPlace({}), none);
  const open = { ...none, folded: [] };
  assert.deepEqual(readPlace(changed({}, writePlace(open))), open);
});

test('nonsense is as if it were not there', () => {
  for (const [name, value] of [['from', '5'], ['from', '-1'], ['sel', '9-3'], ['sel', 'x'], ['lane', '1e9'], ['pins', ',,x'], ['folded', '<b>'], ['at', '7']])
    assert.deepEqual(readPlace({ [name]: value }), readPlace({}), `${name}=${value}`);
  assert.equal(readPlace({ from: '9', to: '3' }).win, null);
});
