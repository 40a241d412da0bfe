/* SPDX-License-Identifier: MIT */
/* The programs' files as part of the kernel, and the table of them: struct program (kernel.h). */
    .macro program name
    .section .rodata.files, "a"
    .align 3
1:  .incbin "\name\().elf"
2:  .balign 8
3:  .asciz "\name"
    .section .rodata.programs, "a"
    .quad 3b, 1b, 2b
    .endm

    .section .rodata.programs, "a"
    .align 3
    .globl programs
programs:
    program init
    program sh
    program true
    program forkstorm
    program syscalls
    program sleepers
    program toucher
    program pingpong
    program spinner
    program crash
    program trouble
    .section .rodata.programs, "a"
programs_end:
    .section .rodata, "a"
    .align 3
    .globl programs_count
programs_count: .quad (programs_end - programs) / 24
