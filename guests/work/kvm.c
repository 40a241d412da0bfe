/* SPDX-License-Identifier: MIT */
/*
 * A guest in the guest (riscv64 with the hypervisor extension): one vCPU that spends a part of its
 * time in VS mode and three in VU mode, for ever. Needs the kvm module.
 */
#include "work.h"

#include <stddef.h>
#include <sys/ioctl.h>

#ifdef __riscv
#include <linux/kvm.h>

/* In VS mode: a loop, then VU mode; there a longer one, and back by ecall. It runs at guest
 * physical address 0, without translation. t6 counts rounds. */
__asm__(".pushsection .rodata\n"
        ".balign 4\n"
        ".option push\n"
        ".option norvc\n"
        "nested:\n"
        "1: addi t6, t6, 1\n"
        "   li t0, 200000\n"
        "2: addi t0, t0, -1\n"
        "   bnez t0, 2b\n"
        "   lla t1, 4f\n"
        "   csrw stvec, t1\n"
        "   lla t1, 3f\n"
        "   csrw sepc, t1\n"
        "   li t1, 0x100\n" /* SPP */
        "   csrc sstatus, t1\n"
        "   sret\n"
        "3: li t0, 600000\n"
        "5: addi t0, t0, -1\n"
        "   bnez t0, 5b\n"
        "   ecall\n"
        ".balign 4\n"
        "4: csrrw tp, sscratch, tp\n" /* as kernels begin */
        "   j 1b\n"
        "nested_end:\n"
        ".option pop\n"
        ".popsection\n");
extern const char nested[], nested_end[];

static void check(int ok, const char *what)
{
    if (ok)
        return;
    write(2, what, strlen(what));
    write(2, ": failed\n", 9);
    exit(1);
}

int main(void)
{
    enum { PAGE = 4096 };
    char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    uint64_t pc = 0;

    check(memory != MAP_FAILED, "memory");
    memcpy(memory, nested, (size_t)(nested_end - nested));
    check(kvm >= 0, "/dev/kvm");
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    check(vm >= 0, "KVM_CREATE_VM");
    struct kvm_userspace_memory_region region = {.memory_size = PAGE,
                                                 .userspace_addr = (uintptr_t)memory};
    check(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    check(vcpu >= 0, "KVM_CREATE_VCPU");
    struct kvm_one_reg reg = {.id = KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE |
                                    KVM_REG_RISCV_CORE_REG(regs.pc),
                              .addr = (uintptr_t)&pc};
    check(!ioctl(vcpu, KVM_SET_ONE_REG, &reg), "KVM_SET_ONE_REG");
    for (;;)
        check(!ioctl(vcpu, KVM_RUN, 0) || errno == EINTR, "KVM_RUN");
}
#else
int main(void)
{
    return 1;
}
#endif
