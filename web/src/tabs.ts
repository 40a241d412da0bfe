// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The page's tabs, in the order in which they stand.
import { consoles } from './console';
import { cpu } from './cpu';
import { devices } from './devices';
import { disk } from './disk';
import { faults } from './faults';
import { interrupts } from './interrupts';
import { memory } from './memory';
import { overview } from './overview';
import { pagetables } from './pagetable';
import { sides } from './sides';
import { syscalls } from './syscalls';
import type { Tab } from './tab';
import { tasks } from './tasks';
import { timeline } from './timeline/tab';
import { traps } from './traps';

export const TABS: Tab[] = [
  overview,
  timeline,
  cpu,
  tasks,
  memory,
  pagetables,
  syscalls,
  traps,
  interrupts,
  faults,
  disk,
  devices,
  consoles,
  sides,
];

/** The keys that show them, as far as there are any. */
export const DIGITS = '1234567890';
