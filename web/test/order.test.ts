// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderChange, orderOf, turned } from '../src/order';
import { changed, hashOf, readPlace } from '../src/place';

const COLUMNS = ['pid', 'comm', 'run'];

test('clicks on one heading go round, and what they lead to is read again', () => {
  let params = {};
  let sort = '-run';
  const seen = [];
  for (const column of ['run', 'run', 'comm', 'comm', 'comm', 'run']) {
    sort = turned(sort, column);
    params = changed(params, orderChange('tasks', '-run', sort));
    assert.equal(orderOf(params, 'tasks', '-run', COLUMNS), sort);
    seen.push(sort);
  }
  assert.deepEqual(seen, ['run', '', '-comm', 'comm', '', '-run']);
  assert.deepEqual(params, {}); // as at first
});

test('tables keep their orders apart, short, through the address', () => {
  const params = { ...changed({ filter: 'x' }, orderChange('tasks', '-run', 'pid')), ...changed({}, orderChange('calls', '', '-comm')) };
  const hash = hashOf({ guest: 'a', tab: 'cpu', params });
  assert.equal(hash, '#a/cpu?filter=x&sort.tasks=pid&sort.calls=-comm');
  const again = readPlace(hash).params;
  assert.equal(orderOf(again, 'tasks', '-run', COLUMNS), 'pid');
  assert.equal(orderOf(again, 'calls', '', COLUMNS), '-comm');
  assert.equal(orderOf(again, 'lines', '-run', COLUMNS), '-run');
});

test('what is no column is as if it were not there', () => {
  for (const bad of ['', '--pid', 'uid', '-uid', '<b>', '__proto__', 'pid '])
    assert.equal(orderOf({ 'sort.tasks': bad }, 'tasks', '-run', COLUMNS), '-run', bad);
});
