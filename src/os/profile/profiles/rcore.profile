# SPDX-License-Identifier: MIT
# rCore of the rCore-Tutorial-v3 (chapters 5 to 9: os/src/task, os/src/mm). A task is a process, as
# the kernel's pid names them; its first thread tells what of a process is a thread's. Processes
# have no names.

[profile]
name = rcore
arch = riscv64
symbols = __switch __alltraps __restore strampoline boot_stack_top rust_main

[memory]
mode = Sv39
root = KERNEL_SPACE.page_table.root_ppn << 12

[task]
first = INITPROC
children = inner.children
id = pid
parent = inner.parent.pid
# a thread's: Ready, Running, Blocked; + 8 of a zombie. Where a process has no threads: * 16
state = inner.tasks[0].inner.task_status + (inner.is_zombie << 3) | inner.task_status << 4
pagetable = inner.memory_set.page_table.root_ppn << 12
# below the trampoline, 0x2000 bytes and a page between any two
stack = -0x3000 - (((inner.tasks[0].kstack << 1) + inner.tasks[0].kstack) << 12)
    | -0x3000 - (((kernel_stack << 1) + kernel_stack) << 12)
stack-size = 0x2000
saved-pc = inner.tasks[0].inner.task_cx.ra | inner.task_cx.ra
saved-sp = inner.tasks[0].inner.task_cx.sp | inner.task_cx.sp
saved-fp = inner.tasks[0].inner.task_cx.s[0] | inner.task_cx.s[0]
frame = (TrapContext *)(inner.tasks[0].inner.trap_cx_ppn << 12)
    | (TrapContext *)(inner.trap_cx_ppn << 12)

[states]
0 = R
1 = R running
2 = S
8 = Z
9 = Z
10 = Z
16 = R running
32 = Z

[cpu]
current = PROCESSOR.current.process | PROCESSOR.current

# Processes have no names here, and the first has the number that idle has in events: 0.
[switch]
at = __switch
leaves = $a0 - &PROCESSOR.idle_task_cx
from = container_of($a0, TaskControlBlock, inner.inner.value.value.task_cx).process
idle = scheduler

[wakeup]
at = 'os::task::manager::wakeup_task'
task = ((TaskControlBlock *)($a0 + 16)).process

[fork]
returns = os::syscall::process::sys_fork
child-id = $a0
call = 220

# Those of threads, from 1000 on, are more than have names.
[syscalls]
24 = dup(fd:u)
56 = open(path flags)
57 = close(fd:u)
59 = pipe(fds)
63 = read(fd:u buf len:u)
64 = write(fd:u buf:d len:u)
93 = exit(code:i)
101 = sleep(ms:u)
124 = yield()
129 = kill(pid:u signal:u)
169 = get_time()
172 = getpid()
220 = fork()
221 = exec(path args)
260 = waitpid(pid:i status)
