// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// The page's tabs, in the order in which they stand.
import { consoles } from './console';
import { cpu } from './cpu';
import { devices } from './devices';
import { faults } from './faults';
import { interrupts } from './interrupts';
import { memory } from './memory';
import { overview } from './overview';
import { sides } from './sides';
import { syscalls } from './syscalls';
import type { Tab } from './tab';
import { tasks } from './tasks';
import { traps } from './traps';

export const TABS: Tab[] = [overview, cpu, tasks, memory, syscalls, traps, interrupts, faults, devices, consoles, sides];

/** The keys that show them, as far as there are any. */
export const DIGITS = '1234567890';
