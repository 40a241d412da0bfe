# SPDX-License-Identifier: MIT
# teachos, the kernel in this folder (kernel.h).

[profile]
name = teachos
arch = riscv64
symbols = procs cpus sched_lock kernel_root trap_vector context_switch log_text

[memory]
mode = Sv39
root = (unsigned long)kernel_root - 0xffffffc000000000 + 0x80000000
linear = 0xffffffc000000000 0x80000000 0x40000000
free = free_pages
free-next = ((struct free_page *)task)->next

[task]
array = procs
id = pid
parent = parent->pid
name = name
state = state
size = space.resident << 12
pagetable = (unsigned long)space.root - 0xffffffc000000000 + 0x80000000
stack = kstack
stack-size = KSTACK_PAGES << 12
saved-pc = context.ra
saved-sp = context.sp
saved-fp = context.s0
frame = frame
cpu = cpu

[states]
PROC_UNUSED = none
PROC_NEW = I
PROC_READY = R
PROC_RUNNING = R running
PROC_SLEEPING = S
PROC_ZOMBIE = Z

[cpu]
current = cpus[cpu].current

[log]
text = log_text
end = log_end

[switch]
at = context_switch
from = (struct proc *)$a0
to = (struct proc *)$a1

[wakeup]
at = proc_wake
task = (struct proc *)$a0

[fork]
at = proc_begin
child = (struct proc *)$a0
start = proc_start
call = SYS_fork

[exit]
at = proc_exit

[exec]
returns = proc_exec
path = name
result = $a0

[syscall]
names = syscall_number SYS_

[syscalls]
SYS_fork = fork()
SYS_exit = exit(status:i)
SYS_wait = wait(status)
SYS_exec = exec(name:s args:s)
SYS_getpid = getpid()
SYS_kill = kill(pid:i)
SYS_sleep = sleep(ms:u)
SYS_yield = yield()
SYS_sbrk = sbrk(size:u)
SYS_read = read(buf size:u)
SYS_write = write(buf:d size:u)
SYS_lock = lock(number:u)
SYS_unlock = unlock(number:u)
SYS_send = send(pid:i value:u)
SYS_receive = receive(value)
SYS_priority = priority(number:u)
SYS_setname = setname(name:s)
SYS_uptime = uptime()
SYS_cpus = cpus()
SYS_freemem = freemem()
SYS_bootargs = bootargs(buf size:u)
SYS_report = report(kind:u)
SYS_trouble = trouble(kind:u on:u)
SYS_tally = tally(n:u)
SYS_poweroff = poweroff(reboot:u)

[irq]
at = device_interrupt
number = $a0
end-returns = device_interrupt

[irqs]
10 = uart

[trap]
entry = trap_vector

[spinlock]
acquire = spin_lock
release = spin_unlock
lock = (struct spinlock *)$a0
name = name

[sleeplock]
acquire = sleep_lock
release = sleep_unlock
lock = (struct sleeplock *)$a0
name = name
result = $a0

[page]
alloc = page_alloc
result = $a0
free = page_free
address = $a0
