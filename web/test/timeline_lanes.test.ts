// SPDX-License-Identifier: MIT
// Copyright the oscope authors
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lane } from '../src/protocol';
import { heightOf, layout, levelAt, levelBox, levels, rankAll } from '../src/timeline/lanes';

let id = 0;
const lane = (kind: Lane['kind'], more: Partial<Lane> = {}): Lane => ({ id: ++id, kind, name: kind, cpu: null, tid: null, comm: null, depth: 1, busy: 0, ...more });

const cpu1 = lane('cpu', { cpu: 1 });
const trap0 = lane('trap', { cpu: 0, depth: 3 });
const cpu0 = lane('cpu', { cpu: 0 });
const lazy = lane('task', { tid: 5, comm: 'lazy', busy: 10 });
const busy = lane('task', { tid: 7, comm: 'busy', busy: 99 });
const call = lane('call', { tid: 7, comm: 'busy', busy: 9999 });
const plic = lane('mmio', { name: 'plic' });
const ALL = [plic, cpu1, trap0, lazy, cpu0, call, busy];

const ranks = () => {
  const rank = new Map<number, number>();
  rankAll(ALL, rank);
  return rank;
};
const NONE = { folded: new Set<string>(), pins: [], rank: ranks() };
const titles = (l: ReturnType<typeof layout>) => l.rows.map((r) => r.title);

test('vCPUs by number with their traps below, then tasks, the busiest first, then devices', () => {
  assert.deepEqual(titles(layout(ALL, NONE)), ['vCPUs', 'vCPU 0', 'traps', 'vCPU 1', 'Tasks', 'busy 7', 'system calls', 'lazy 5', 'Devices', 'plic']);
});

test('counters stand in their own order, below vCPUs', () => {
  const counters = [lane('counter', { name: 'calls', place: 3 }), lane('counter', { name: 'switches', place: 0 })];
  assert.deepEqual(titles(layout([...counters, ...ALL], NONE)).slice(4, 8), ['Counters', 'switches', 'calls', 'Tasks']);
});

test('rows stand below each other without gaps', () => {
  const l = layout(ALL, NONE);
  let y = 0;
  for (const r of l.rows) {
    assert.equal(r.y, y);
    y += r.h;
  }
  assert.equal(l.height, y);
});

test('what is folded is not there', () => {
  assert.deepEqual(titles(layout(ALL, { ...NONE, folded: new Set(['cpus', 'task7']) })), ['vCPUs', 'Tasks', 'busy 7', 'lazy 5', 'Devices', 'plic']);
  assert(!titles(layout(ALL, { ...NONE, folded: new Set(['calls']) })).includes('system calls'));
});

test('pinned lanes stand at the top with their whole names, and in their places', () => {
  const l = layout(ALL, { ...NONE, pins: [call.id, 999, cpu1.id] });
  assert.deepEqual(l.pinned.map((r) => r.title), ['busy 7: system calls', 'vCPU 1']);
  assert.equal(l.pinnedHeight, heightOf(call) + heightOf(cpu1));
  assert.equal(l.rows.length, 10);
});

test('tasks stay in their places when others come', () => {
  const rank = ranks();
  const late = lane('task', { tid: 1, comm: 'late', busy: 1e9 });
  const fault = lane('fault', { tid: 5, comm: 'lazy' });
  const all = [...ALL, late, fault];
  rankAll(all, rank);
  const l = layout(all, { ...NONE, rank });
  assert.deepEqual(titles(l).slice(5, 10), ['busy 7', 'system calls', 'lazy 5', 'page faults', 'late 1']);
});

test('lanes of a task whose states are not known stand alone', () => {
  assert.deepEqual(titles(layout([call], { ...NONE, rank: new Map() })), ['Tasks', 'busy 7: system calls']);
});

test('levels lie in their lane, and are found again', () => {
  assert.equal(levels(trap0), 3);
  for (let i = 0; i < 3; i++) {
    const [y, h] = levelBox(trap0, i);
    assert(y >= 0 && y + h < heightOf(trap0));
    assert.equal(levelAt(trap0, y + h / 2), i);
  }
  assert.equal(levels(lane('trap', { depth: 100 })) <= 8, true);
  assert.equal(levels(lane('irq', { depth: 0 })), 1);
});
