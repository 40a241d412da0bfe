# SPDX-License-Identifier: MIT
# The kernel in this folder.

[profile]
name = test-i386
arch = i386
symbols = procs cpus counters handlers swtch page_directory

[memory]
mode = 2-level
root = &page_directory
linear = 0 0 0x800000

[task]
array = procs
id = pid
name = name
state = state
stack = stack
stack-size = 4096
saved-pc = context->eip
saved-sp = context + 1
saved-fp = context->ebp
frame = frame

[states]
P_UNUSED = none
P_READY = R
P_RUNNING = R running
P_SLEEPING = S

[cpu]
current = cpus[cpu].proc

[switch]
at = swtch
from = container_of($arg0, struct proc, context)
idle = scheduler

[wakeup]
stores = wakeup

[syscall]
vector = CALL_VECTOR
names = macros SYS_

[syscalls]
SYS_write = write(buf:d n:i)
SYS_wait = wait()

[irq]
at = device
number = $arg0
end = device_done

[irqs]
4 = uart

[spinlock]
acquire = lock_take
release = lock_release
lock = (struct lock *)$arg0
name = name

[trap]
handlers = &handlers

[traps]
IRQ_VECTOR = timer
0x24 = external uart
CALL_VECTOR = syscall
