# SPDX-License-Identifier: MIT
# xv6 for x86, of MIT's operating systems courses until 2018 (proc.h, proc.c, kalloc.c, memlayout.h).

[profile]
name = xv6-x86
arch = i386
symbols = ptable cpus initproc kmem swtch alltraps trapret kpgdir

[memory]
mode = 2-level
root = (uint)kpgdir - 0x80000000
linear = 0x80000000 0 0xe000000  # KERNBASE, PHYSTOP
free = kmem.freelist
free-next = ((struct run *)task)->next

[task]
array = ptable.proc
id = pid
parent = parent->pid
name = name
state = state
size = sz
pagetable = (uint)pgdir - 0x80000000
stack = kstack
stack-size = 4096
saved-pc = context->eip
saved-sp = context + 1
saved-fp = context->ebp
frame = tf

[states]
UNUSED = none
EMBRYO = I
SLEEPING = S
RUNNABLE = R
RUNNING = R running
ZOMBIE = Z

[cpu]
current = cpus[cpu].proc

[switch]
at = swtch
from = container_of($arg0, struct proc, context)
idle = scheduler

[wakeup]
stores = wakeup1|wakeup kill exit

[fork]
returns = fork
child-id = (int)$eax
start = forkret
call = 1

[exit]
at = exit

[exec]
returns = exec
path = name
result = (int)$eax

[syscall]
vector = 64
arg0 = *(uint *)($esp + 4)
arg1 = *(uint *)($esp + 8)
arg2 = *(uint *)($esp + 12)

[syscalls]
1 = fork()
2 = exit()
3 = wait()
4 = pipe(fds)
5 = read(fd:i buf n:i)
6 = kill(pid:i)
7 = exec(path:s argv)
8 = fstat(fd:i stat)
9 = chdir(path:s)
10 = dup(fd:i)
11 = getpid()
12 = sbrk(n:i)
13 = sleep(n:i)
14 = uptime()
15 = open(path:s mode)
16 = write(fd:i buf:d n:i)
17 = mknod(path:s major:i minor:i)
18 = unlink(path:s)
19 = link(old:s new:s)
20 = mkdir(path:s)
21 = close(fd:i)

[irq]
at = ideintr, uartintr, kbdintr
number = ((struct trapframe *)*(uint *)($ebp + 8))->trapno - 32
end = lapiceoi

[irqs]
1 = keyboard
4 = uart
14 = ide

[trap]
handlers = &vectors

[traps]
32 = timer
33 = external keyboard
36 = external uart
46 = external ide
64 = syscall

[spinlock]
acquire = acquire
release = release
lock = *(struct spinlock **)($esp + 4)
name = name

[sleeplock]
acquire = acquiresleep
release = releasesleep
lock = *(struct sleeplock **)($esp + 4)
name = name

[page]
alloc = kalloc
result = $eax
free = kfree
address = *(uint *)($esp + 4)
