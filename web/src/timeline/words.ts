// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// A slice in words: for the pointer's tooltip, the pane below, and screen readers.
import { duration } from '../format';
import type { Lane } from '../protocol';
import { exactText, timeText } from './axis';
import { classInfo, UNRECORDED } from './colors';
import { countText, valueText } from './counter';
import { laneTitle, setOf } from './lanes';
import type { Slice } from './scope';

/** Which events a lane of that kind is made of. */
export const SOURCES: Record<Lane['kind'], string> = {
  cpu: 'sched_switch events of this vCPU',
  task: 'sched_switch, sched_waking and sched_wakeup events of this task',
  trap: 'trap_entry and trap_exit events of this vCPU; firmware_entry and firmware_exit where there is firmware',
  irq: 'irq_handler and softirq events of this vCPU; of x86 vectors, too',
  wait: 'vcpu_idle and vcpu_resume events of this vCPU',
  call: 'syscall_entry and syscall_exit events of this task',
  fault: 'page_fault_entry and page_fault_exit events of this task',
  mmio: 'mmio events: accesses to this device',
  counter: 'counted from events',
};

/** Which events that lane is made of. */
export function sourceOf(lane: Lane): string {
  if (lane.level) return lane.source ?? '';
  return lane.source ? `${lane.source}, counted` : SOURCES[lane.kind];
}

export function nameOf(lane: Lane, s: Slice): string {
  const c = classInfo(lane.kind, s.cls);
  if (s.cls === UNRECORDED) return c.name;
  if (lane.kind === 'counter') return valueText(s.value, lane);
  if (lane.kind === 'task') return s.cls === 0 && s.name ? `running on ${s.name}` : c.name;
  if (lane.kind === 'cpu' && s.cls !== 0) return c.name;
  return s.name || c.name;
}

/** Whether the slice is named for who woke the task. */
function wokenBy(lane: Lane, s: Slice): boolean {
  return Boolean(classInfo(lane.kind, s.cls).foreign && s.name && s.merged <= 1);
}

export function lengthOf(s: Slice): string {
  if (!s.duration && !s.open) return 'a moment';
  return s.open ? `${duration(Math.round(s.duration))}, and on` : duration(Math.round(s.duration));
}

/** name, value. zero: the time that is called 0. */
export function facts(lane: Lane, s: Slice, zero: number): [string, string][] {
  const c = classInfo(lane.kind, s.cls);
  const list: [string, string][] = [['where', laneTitle(lane)]];
  if (s.cls === UNRECORDED) list.push(['why', `the event set ${setOf(lane)} was off, or sets were being exchanged`]);
  else if (lane.level) list.push(['what', 'how many there are, on average']);
  else if (lane.kind === 'counter') list.push(['counted', countText(s.amount, lane.unit)]);
  else if (c.name !== nameOf(lane, s)) list.push(['what', c.name]);
  if (wokenBy(lane, s)) list.push(['woken by', s.name === 'idle' ? 'an interrupt of an idle vCPU' : s.name]);
  list.push(['from', exactText(s.start - zero)]);
  if (s.duration) list.push(['to', exactText(s.start + s.duration - zero)]);
  list.push([lane.kind === 'counter' ? 'within' : 'takes', lengthOf(s)]);
  if (s.merged > 1) list.push(['merged', `${s.merged >= 0x7fff ? 'more than 32 766' : s.merged} slices, too short to be seen apart; named for the longest`]);
  return list;
}

/** In a sentence. */
export function spoken(lane: Lane, s: Slice, zero: number): string {
  if (lane.kind === 'counter' && s.cls !== UNRECORDED)
    return `${laneTitle(lane)}: ${nameOf(lane, s)}, ${lane.level ? 'on average' : countText(s.amount, lane.unit)} from ${timeText(s.start - zero, 1000, 's')} on within ${lengthOf(s)}`;
  const merged = s.merged > 1 ? `, ${s.merged} slices merged` : '';
  const woken = wokenBy(lane, s) ? `, woken by ${s.name}` : '';
  return `${nameOf(lane, s)}${woken}, ${laneTitle(lane)}, from ${timeText(s.start - zero, 1000, 's')}, ${lengthOf(s)}${merged}`;
}
