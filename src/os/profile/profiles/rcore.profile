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
# a zombie's: 8; without threads Ready, Running, Zombie
state = inner.is_zombie << 3 | inner.task_status
pagetable = inner.memory_set.page_table.root_ppn << 12
# of chapters without threads; below the trampoline, 0x2000 bytes and a page between any two
stack = -0x3000 - (((kernel_stack.pid << 1) + kernel_stack.pid) << 12) | none
stack-size = 0x2000
saved-pc = inner.task_cx.ra | none
saved-sp = inner.task_cx.sp | none
saved-fp = inner.task_cx.s[0] | none
frame = (TrapContext *)(inner.trap_cx_ppn << 12) | none

# One that has ended keeps its place until it is waited for, but not its id.
[thread]
array = inner.tasks | none
process = process
id = inner.res.tid
state = inner.task_status
stack = -0x3000 - (((kstack << 1) + kstack) << 12)
saved-pc = inner.task_cx.ra
saved-sp = inner.task_cx.sp
saved-fp = inner.task_cx.s[0]
frame = (TrapContext *)(inner.trap_cx_ppn << 12)

[states]
0 = R
1 = R running
2 = Z
8 = Z

[thread-states]
Ready = R
Running = R running
Blocked = S

[cpu]
current = PROCESSOR.current.process | PROCESSOR.current
thread = PROCESSOR.current | none

# Processes have no names here, and the first has the number that idle has in events: 0.
[switch]
at = __switch
leaves = $a0 - &PROCESSOR.idle_task_cx
from = container_of($a0, TaskControlBlock, inner.inner.value.value.task_cx)
idle = scheduler

[wakeup]
at = 'os::task::manager::wakeup_task' | none
task = (TaskControlBlock *)($a0 + 16)

[fork]
returns = os::syscall::process::sys_fork
child-id = $a0
call = 220

[exit]
at = 'os::task::exit_current_and_run_next'

[syscalls]
24 = dup(fd:u)
29 = connect(address local:u remote:u)
30 = listen(port:u)
31 = accept(listener:u)
56 = open(path:s flags)
57 = close(fd:u)
59 = pipe(fds)
63 = read(fd:u buf len:u)
64 = write(fd:u buf:d len:u)
93 = exit(code:i)
101 = sleep(ms:u)
124 = yield()
129 = kill(pid:u signal:u)
134 = sigaction(signal:u action old)
135 = sigprocmask(mask)
139 = sigreturn()
169 = get_time()
172 = getpid()
220 = fork()
221 = exec(path:s args)
260 = waitpid(pid:i status)
1000 = thread_create(entry arg)
1001 = gettid()
1002 = waittid(thread:u)
1010 = mutex_create(blocking:u)
1011 = mutex_lock(mutex:u)
1012 = mutex_unlock(mutex:u)
1020 = semaphore_create(count:u)
1021 = semaphore_up(semaphore:u)
1022 = semaphore_down(semaphore:u)
1030 = condvar_create()
1031 = condvar_signal(condvar:u)
1032 = condvar_wait(condvar:u mutex:u)
2000 = framebuffer()
2001 = framebuffer_flush()
3000 = event_get()
3001 = key_pressed()
