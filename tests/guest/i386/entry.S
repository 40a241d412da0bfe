/* SPDX-License-Identifier: MIT */
/* The multiboot header, a handler for each vector, the switch of stacks: see kernel.c. */
#include "kernel.h"

	.section .multiboot, "a"
	.long 0x1badb002, 0, -0x1badb002

	.text
	.globl start
start:
	cli
	mov	$boot_stack_top, %esp
	xor	%ebp, %ebp
	call	kernel_main

/* An error code where the CPU pushes none, and the vector. */
	.altmacro
	.macro handler n
handler\n:
	.if !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
	push	$0
	.endif
	push	$\n
	jmp	alltraps
	.pushsection .rodata
	.long	handler\n
	.popsection
	.endm

	.section .rodata
	.globl handlers
handlers:
	.text
	.set	i, 0
	.rept	256
	handler	%i
	.set	i, i + 1
	.endr

alltraps:
	push	%ds
	pusha
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	push	%esp
	call	trap
	add	$4, %esp
	.globl trap_return
trap_return:
	popa
	pop	%ds
	add	$8, %esp
	iret

	.globl swtch
	.type swtch, @function
swtch:
	mov	4(%esp), %eax
	mov	8(%esp), %edx
	push	%ebp
	push	%ebx
	push	%esi
	push	%edi
	mov	%esp, (%eax)
	mov	%edx, %esp
	pop	%edi
	pop	%esi
	pop	%ebx
	pop	%ebp
	ret
	.size swtch, . - swtch

/* Its last call is a jump. */
	.globl lock_take
	.type lock_take, @function
lock_take:
	mov	4(%esp), %eax
	movl	$1, (%eax)
	jmp	lock_taken
	.size lock_take, . - lock_take

	.bss
	.align	16
	.skip	8192
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
