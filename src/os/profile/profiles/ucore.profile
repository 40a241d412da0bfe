# SPDX-License-Identifier: MIT
# uCore of the uCore-Tutorial (LearningOS/uCore-Tutorial-Code, chapters 5 to 8: os/proc.h,
# os/kalloc.c). A task is a process; from chapter 8 on its first thread tells what of a process is a
# thread's now. It has no names of programs.

[profile]
name = ucore
arch = riscv64
symbols = pool idle task_queue kmem swtch userret kernel_pagetable

[memory]
mode = Sv39
root = kernel_pagetable
free = kmem.freelist
free-next = ((struct linklist *)task)->next

[task]
array = pool
id = pid
parent = parent->pid
# a process's * 8, with its first thread's; of chapters without threads: * 64
state = threads[0].state + (state << 3) | state << 6
pagetable = pagetable
stack = threads[0].kstack | kstack
stack-size = 0x1000
saved-pc = threads[0].context.ra | context.ra
saved-sp = threads[0].context.sp | context.sp
saved-fp = threads[0].context.s0 | context.s0
frame = threads[0].trapframe | trapframe

[states]
0 = none
1 = none
2 = none
3 = none
4 = none
5 = none
8 = I
9 = I
10 = S
11 = R
12 = R running
13 = X
16 = Z
17 = Z
18 = Z
19 = Z
20 = Z
21 = Z
64 = I
128 = S
192 = R
256 = R running
320 = Z

[cpu]
current = current_thread->process | current_proc

[switch]
at = swtch
leaves = $a0 - &idle.context
from = container_of($a0, struct thread, context)->process | container_of($a0, struct proc, context)
idle = scheduler

[fork]
returns = fork
child-id = (int)$a0
call = 220

# Those of threads, from 1000 on, are more than have names.
[syscalls]
56 = open(path:s flags mode)
57 = close(fd:i)
59 = pipe(fds)
63 = read(fd:i buf len:u)
64 = write(fd:i buf:d len:u)
93 = exit(code:i)
124 = yield()
169 = gettimeofday(time zone)
172 = getpid()
173 = getppid()
178 = gettid()
220 = fork()
221 = exec(path:s args)
260 = wait(pid:i code)

# Mutexes are left out: who has one is a thread, and a task is a process here.
[page]
alloc = kalloc
result = $a0
free = kfree
address = $a0
