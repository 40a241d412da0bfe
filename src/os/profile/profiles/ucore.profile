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
state = state
pagetable = pagetable
# of chapters without threads
stack = task->kstack | none
stack-size = 0x1000
saved-pc = task->context.ra | none
saved-sp = task->context.sp | none
saved-fp = task->context.s0 | none
frame = task->trapframe | none

[thread]
array = threads | none
process = process
id = tid
state = state
stack = kstack
saved-pc = context.ra
saved-sp = context.sp
saved-fp = context.s0
frame = trapframe

# Where processes have threads there are but three: P_UNUSED, P_USED, ZOMBIE.
[states]
0 = none
1 = I
ZOMBIE = Z
SLEEPING = S
RUNNABLE = R
RUNNING = R running

[thread-states]
T_UNUSED = none
T_USED = I
SLEEPING = S
RUNNABLE = R
RUNNING = R running
EXITED = X

[cpu]
current = current_thread->process | current_proc
thread = current_thread | none

[switch]
at = swtch
leaves = $a0 - &idle.context
from = container_of($a0, struct thread, context) | container_of($a0, struct proc, context)
idle = scheduler

[wakeup]
stores = mutex_unlock|none semaphore_up|none cond_signal|none

[fork]
returns = fork
child-id = (int)$a0
call = 220

[exit]
at = exit

# That it fails is not known yet where it begins.
[exec]
at = exec
path = (char *)$a0

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
460 = thread_create(entry arg)
462 = waittid(thread:i)
463 = mutex_create(blocking:i)
464 = mutex_lock(mutex:i)
466 = mutex_unlock(mutex:i)
467 = semaphore_create(count:i)
468 = semaphore_up(semaphore:i)
469 = enable_deadlock_detect(on:i)
470 = semaphore_down(semaphore:i)
471 = condvar_create()
472 = condvar_signal(condvar:i)
473 = condvar_wait(condvar:i mutex:i)

# Mutexes are left out: who has one is a thread, and a task is a process here.
[page]
alloc = kalloc
result = $a0
free = kfree
address = $a0
