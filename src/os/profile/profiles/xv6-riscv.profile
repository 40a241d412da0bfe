# SPDX-License-Identifier: MIT
# xv6 for RISC-V, of MIT's operating systems courses (kernel/proc.h, kernel/kalloc.c,
# kernel/trap.c, kernel/syscall.h).

[profile]
name = xv6-riscv
arch = riscv64
symbols = proc cpus initproc kmem swtch uservec kernelvec kernel_pagetable

[memory]
mode = Sv39
root = kernel_pagetable
linear = 0x80000000 0x80000000 0x8000000
free = kmem.freelist
free-next = ((struct run *)task)->next

[task]
array = proc
id = pid
parent = parent->pid
name = name
state = state
size = sz
pagetable = pagetable
stack = kstack
stack-size = 4096
saved-pc = context.ra
saved-sp = context.sp
saved-fp = context.s0
frame = trapframe

[states]
UNUSED = none
USED = I
SLEEPING = S
RUNNABLE = R
RUNNING = R running
ZOMBIE = Z

[cpu]
current = cpus[cpu].proc

[switch]
at = swtch
from = container_of($a0, struct proc, context)
to = container_of($a1, struct proc, context)
idle = scheduler

[wakeup]
stores = wakeup kill|kkill

[fork]
returns = fork|kfork
child-id = $a0
start = forkret
call = 1

[exit]
at = exit | kexit

[exec]
returns = exec|kexec
path = name
result = $a0

[syscalls]
1 = fork()
2 = exit(status:i)
3 = wait(status)
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
returns = plic_claim
number = $a0
end = plic_complete

[irqs]
1 = virtio_disk
10 = uart

[trap]
entry = kernelvec, 0x3ffffff000 + (uservec - trampoline)
machine = timervec | 0

[spinlock]
acquire = acquire
release = release
lock = (struct spinlock *)$a0
name = name

[sleeplock]
acquire = acquiresleep
release = releasesleep
lock = (struct sleeplock *)$a0
name = name

[page]
alloc = kalloc
result = $a0
free = kfree
address = $a0
