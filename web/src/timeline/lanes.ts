// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Lanes: which stand where. Groups with headings; a vCPU or a task with what belongs to it below.
import type { Lane } from '../protocol';

export type Group = 'cpus' | 'tasks' | 'devices' | 'counters';

const TITLES: [group: Group, title: string][] = [
  ['cpus', 'vCPUs'],
  ['counters', 'Counters'],
  ['tasks', 'Tasks'],
  ['devices', 'Devices'],
];

export interface Row {
  /** Of the group or lane, in the list of those that are folded. */
  key: string;
  lane: Lane | null; // null: a group's heading
  title: string;
  note: string;
  y: number; // pixels below the first row
  h: number;
  level: number; // 0 a group, 1 a lane, 2 what belongs to the one above
  folds: number; // rows that belong to it
  folded: boolean;
  pinned: boolean;
}

export interface Layout {
  pinned: Row[];
  pinnedHeight: number;
  rows: Row[];
  height: number;
}

export interface Choice {
  folded: ReadonlySet<string>;
  pins: readonly number[];
  /** Places of tasks' lanes: they stay where they are while they are looked at. */
  rank: ReadonlyMap<number, number>;
}

const SETS: Partial<Record<Lane['kind'], string>> = { trap: 'traps', irq: 'irq', call: 'syscalls', fault: 'faults', mmio: 'mmio' };

/** The event set without which nothing of that lane is known. */
export function setOf(lane: Pick<Lane, 'kind' | 'set'>): string | undefined {
  return lane.set ?? SETS[lane.kind];
}

export const HEADING = 22;
const LEVEL = 14; // pixels of one of the slices that stand above each other
const LEVELS = 8; // drawn at most

const HEIGHTS: Record<Lane['kind'], number> = {
  cpu: 26,
  task: 20,
  wait: 12,
  counter: 38,
  trap: 0,
  irq: 0,
  call: 0,
  fault: 0,
  mmio: 0,
};

export function groupOf(lane: Lane): Group {
  if (lane.kind === 'mmio') return 'devices';
  if (lane.kind === 'counter') return 'counters';
  return lane.kind === 'task' || lane.kind === 'call' || lane.kind === 'fault' ? 'tasks' : 'cpus';
}

/** Slices above each other. */
export function levels(lane: Lane): number {
  return HEIGHTS[lane.kind] ? 1 : Math.min(LEVELS, Math.max(1, lane.depth));
}

export function heightOf(lane: Lane): number {
  return HEIGHTS[lane.kind] || levels(lane) * LEVEL + 4;
}

/** The level of a lane at y pixels below its top. */
export function levelAt(lane: Lane, y: number): number {
  return Math.min(levels(lane) - 1, Math.max(0, Math.floor((y - 2) / LEVEL)));
}

/** Pixels from the lane's top, and height, of that level. */
export function levelBox(lane: Lane, level: number): [y: number, h: number] {
  const h = HEIGHTS[lane.kind];
  return h ? [2, h - 5] : [2 + Math.min(level, LEVELS - 1) * LEVEL, LEVEL - 1];
}

/** What stands alone, or the others' heading. */
function isMain(lane: Lane): boolean {
  return lane.kind === 'cpu' || lane.kind === 'task' || lane.kind === 'mmio' || lane.kind === 'counter';
}

function ownerOf(lane: Lane): string {
  return groupOf(lane) === 'cpus' ? `cpu${lane.cpu}` : groupOf(lane) === 'tasks' ? `task${lane.tid}` : `lane${lane.id}`;
}

const KINDS: Lane['kind'][] = ['cpu', 'task', 'wait', 'trap', 'irq', 'call', 'fault', 'mmio', 'counter'];

const WORDS: Partial<Record<Lane['kind'], string>> = {
  trap: 'traps',
  irq: 'interrupts',
  wait: 'waits',
  call: 'system calls',
  fault: 'page faults',
};

/** What a lane is called where it stands alone. */
export function laneTitle(lane: Lane): string {
  const task = lane.comm === null ? `thread ${lane.tid}` : `${lane.comm} ${lane.tid}`;
  if (groupOf(lane) === 'cpus') return lane.kind === 'cpu' ? `vCPU ${lane.cpu}` : `vCPU ${lane.cpu}: ${WORDS[lane.kind]}`;
  if (groupOf(lane) === 'tasks') return lane.kind === 'task' ? task : `${task}: ${WORDS[lane.kind]}`;
  return lane.name;
}

function family(lanes: Lane[], group: Group, rank: Choice['rank']): Lane[][] {
  const byOwner = new Map<string, Lane[]>();
  for (const lane of lanes) {
    if (groupOf(lane) !== group) continue;
    const owner = ownerOf(lane);
    const there = byOwner.get(owner);
    if (there) there.push(lane);
    else byOwner.set(owner, [lane]);
  }
  const families = [...byOwner.values()];
  for (const f of families) f.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.id - b.id);
  const place = (f: Lane[]) =>
    group === 'cpus' ? f[0].cpu ?? 0 : group === 'tasks' ? Math.min(...f.map((l) => rank.get(l.id) ?? l.id + 1e9)) : f[0].place ?? f[0].id;
  return families.map((f) => ({ f, at: place(f) })).sort((a, b) => a.at - b.at).map(({ f }) => f);
}

export function layout(lanes: Lane[], choice: Choice): Layout {
  const rows: Row[] = [];
  const pinned: Row[] = [];
  let y = 0;
  const push = (row: Omit<Row, 'y' | 'pinned'>) => {
    rows.push({ ...row, y, pinned: false });
    y += row.h;
  };
  for (const [group, title] of TITLES) {
    const families = family(lanes, group, choice.rank);
    if (!families.length) continue;
    const folded = choice.folded.has(group);
    push({ key: group, lane: null, title, note: String(families.length), h: HEADING, level: 0, folds: families.length, folded });
    if (folded) continue;
    for (const [first, ...rest] of families) {
      const owner = ownerOf(first);
      const shut = choice.folded.has(owner) || (group === 'tasks' && choice.folded.has('calls'));
      const below = isMain(first) ? rest : [first, ...rest];
      if (isMain(first))
        push({ key: owner, lane: first, title: laneTitle(first), note: '', h: heightOf(first), level: 1, folds: rest.length, folded: shut && rest.length > 0 });
      if (shut && isMain(first)) continue;
      for (const lane of below)
        push({ key: `lane${lane.id}`, lane, title: isMain(first) ? WORDS[lane.kind] ?? lane.name : laneTitle(lane), note: '', h: heightOf(lane), level: isMain(first) ? 2 : 1, folds: 0, folded: false });
    }
  }
  let top = 0;
  for (const id of choice.pins) {
    const lane = lanes.find((l) => l.id === id);
    if (!lane) continue;
    const h = heightOf(lane);
    pinned.push({ key: `pin${id}`, lane, title: laneTitle(lane), note: '', y: top, h, level: 1, folds: 0, folded: false, pinned: true });
    top += h;
  }
  return { pinned, pinnedHeight: top, rows, height: y };
}

/** Places for lanes that have none: after those that have, the busiest first. */
export function rankAll(lanes: Lane[], rank: Map<number, number>): void {
  const fresh = lanes.filter((l) => groupOf(l) === 'tasks' && !rank.has(l.id));
  const byTask = new Map<number, number>();
  for (const l of lanes) if (groupOf(l) === 'tasks' && rank.has(l.id)) byTask.set(l.tid ?? -1, rank.get(l.id)!);
  let next = Math.max(0, ...rank.values()) + 1;
  fresh.sort((a, b) => Number(b.kind === 'task') - Number(a.kind === 'task') || b.busy - a.busy);
  for (const l of fresh) {
    const tid = l.tid ?? -1;
    const place = byTask.get(tid) ?? next++;
    byTask.set(tid, place);
    rank.set(l.id, place);
  }
}
