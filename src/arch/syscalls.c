/* SPDX-License-Identifier: MIT */
/*
 * Arguments of system calls: see syscalls.h. The table has the calls that programs make all the
 * time; the kind is written behind the name: i int, u unsigned, s string, l list of strings, a
 * socket's address, none: address or flags; data that is read, and data that is written: d and b
 * bytes, v and w struct iovec, m and n struct msghdr.
 */
#include "arch/syscalls.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

static const struct signature {
    const char *name, *args;
} signatures[] = {
    {"accept", "fd:i addr addrlen"},
    {"accept4", "fd:i addr addrlen flags"},
    {"access", "filename:s mode"},
    {"alarm", "seconds:u"},
    {"arch_prctl", "option addr"},
    {"bind", "fd:i addr:a addrlen:u"},
    {"bpf", "cmd:i attr size:u"},
    {"brk", "brk"},
    {"chdir", "filename:s"},
    {"chmod", "filename:s mode"},
    {"chown", "filename:s user:i group:i"},
    {"chroot", "filename:s"},
    {"clock_gettime", "clock:i tp"},
    {"clock_nanosleep", "clock:i flags rqtp rmtp"},
    {"clone", "flags newsp parent_tidptr arg3 arg4"},
    {"clone3", "args size:u"},
    {"close", "fd:i"},
    {"close_range", "fd:u max_fd:u flags"},
    {"connect", "fd:i addr:a addrlen:u"},
    {"copy_file_range", "fd_in:i off_in fd_out:i off_out len:u flags"},
    {"creat", "pathname:s mode"},
    {"dup", "fildes:i"},
    {"dup2", "oldfd:i newfd:i"},
    {"dup3", "oldfd:i newfd:i flags"},
    {"epoll_create1", "flags"},
    {"epoll_ctl", "epfd:i op:i fd:i event"},
    {"epoll_pwait", "epfd:i events maxevents:i timeout:i sigmask sigsetsize:u"},
    {"epoll_wait", "epfd:i events maxevents:i timeout:i"},
    {"eventfd2", "count:u flags"},
    {"execve", "filename:s argv:l envp"},
    {"execveat", "fd:i filename:s argv:l envp flags"},
    {"exit", "error_code:i"},
    {"exit_group", "error_code:i"},
    {"faccessat", "dfd:i filename:s mode"},
    {"faccessat2", "dfd:i filename:s mode flags"},
    {"fadvise64", "fd:i offset:u len:u advice:i"},
    {"fallocate", "fd:i mode offset:u len:u"},
    {"fchdir", "fd:i"},
    {"fchmod", "fd:i mode"},
    {"fchmodat", "dfd:i filename:s mode"},
    {"fchown", "fd:i user:i group:i"},
    {"fchownat", "dfd:i filename:s user:i group:i flag"},
    {"fcntl", "fd:i cmd:i arg"},
    {"fdatasync", "fd:i"},
    {"fgetxattr", "fd:i name:s value size:u"},
    {"finit_module", "fd:i uargs:s flags"},
    {"flock", "fd:i cmd:i"},
    {"fork", ""},
    {"fsetxattr", "fd:i name:s value size:u flags"},
    {"fstat", "fd:i statbuf"},
    {"fstatfs", "fd:i buf"},
    {"fsync", "fd:i"},
    {"ftruncate", "fd:i length:u"},
    {"futex", "uaddr op:i val:u utime uaddr2 val3:u"},
    {"getcpu", "cpup nodep tcache"},
    {"getcwd", "buf size:u"},
    {"getdents64", "fd:i dirent count:u"},
    {"getegid", ""},
    {"geteuid", ""},
    {"getgid", ""},
    {"getpgid", "pid:i"},
    {"getpid", ""},
    {"getppid", ""},
    {"getpriority", "which:i who:i"},
    {"getrandom", "ubuf len:u flags"},
    {"getrusage", "who:i ru"},
    {"getsid", "pid:i"},
    {"getsockname", "fd:i addr addrlen"},
    {"getsockopt", "fd:i level:i optname:i optval optlen"},
    {"gettid", ""},
    {"gettimeofday", "tv tz"},
    {"getuid", ""},
    {"getxattr", "path:s name:s value size:u"},
    {"inotify_add_watch", "fd:i pathname:s mask"},
    {"io_uring_enter", "fd:i to_submit:u min_complete:u flags argp argsz:u"},
    {"ioctl", "fd:i cmd arg"},
    {"kill", "pid:i sig:i"},
    {"link", "oldname:s newname:s"},
    {"linkat", "olddfd:i oldname:s newdfd:i newname:s flags"},
    {"lgetxattr", "path:s name:s value size:u"},
    {"listen", "fd:i backlog:i"},
    {"lseek", "fd:i offset:u whence:i"},
    {"lsetxattr", "path:s name:s value size:u flags"},
    {"lstat", "filename:s statbuf"},
    {"madvise", "start len:u behavior:i"},
    {"memfd_create", "uname:s flags"},
    {"mincore", "start len:u vec"},
    {"mkdir", "pathname:s mode"},
    {"mkdirat", "dfd:i pathname:s mode"},
    {"mknod", "filename:s mode dev:u"},
    {"mknodat", "dfd:i filename:s mode dev:u"},
    {"mlock", "start len:u"},
    {"mmap", "addr len:u prot flags fd:i off:u"},
    {"mount", "dev_name:s dir_name:s type:s flags data"},
    {"move_mount", "from_dfd:i from_path:s to_dfd:i to_path:s flags"},
    {"mprotect", "start len:u prot"},
    {"mremap", "addr old_len:u new_len:u flags new_addr"},
    {"msync", "start len:u flags"},
    {"munmap", "addr len:u"},
    {"nanosleep", "rqtp rmtp"},
    {"newfstatat", "dfd:i filename:s statbuf flag"},
    {"open", "filename:s flags mode"},
    {"openat", "dfd:i filename:s flags mode"},
    {"openat2", "dfd:i filename:s how usize:u"},
    {"pause", ""},
    {"pidfd_open", "pid:i flags"},
    {"pipe", "fildes"},
    {"pipe2", "fildes flags"},
    {"pivot_root", "new_root:s put_old:s"},
    {"poll", "ufds nfds:u timeout_msecs:i"},
    {"ppoll", "ufds nfds:u tsp sigmask sigsetsize:u"},
    {"prctl", "option:i arg2 arg3 arg4 arg5"},
    {"pread64", "fd:i buf:b count:u pos:u"},
    {"preadv", "fd:i vec:w vlen:u pos_l:u pos_h:u"},
    {"preadv2", "fd:i vec:w vlen:u pos_l:u pos_h:u flags"},
    {"prlimit64", "pid:i resource:i new_rlim old_rlim"},
    {"pselect6", "n:i inp outp exp tsp sig"},
    {"ptrace", "request:i pid:i addr data"},
    {"pwrite64", "fd:i buf:d count:u pos:u"},
    {"pwritev", "fd:i vec:v vlen:u pos_l:u pos_h:u"},
    {"pwritev2", "fd:i vec:v vlen:u pos_l:u pos_h:u flags"},
    {"read", "fd:i buf:b count:u"},
    {"readahead", "fd:i offset:u count:u"},
    {"readlink", "path:s buf:b bufsiz:u"},
    {"readlinkat", "dfd:i pathname:s buf:b bufsiz:u"},
    {"readv", "fd:i vec:w vlen:u"},
    {"reboot", "magic1 magic2 cmd arg"},
    {"recvfrom", "fd:i ubuf:b size:u flags addr addr_len"},
    {"recvmsg", "fd:i msg:n flags"},
    {"removexattr", "path:s name:s"},
    {"rename", "oldname:s newname:s"},
    {"renameat", "olddfd:i oldname:s newdfd:i newname:s"},
    {"renameat2", "olddfd:i oldname:s newdfd:i newname:s flags"},
    {"rmdir", "pathname:s"},
    {"rseq", "rseq rseq_len:u flags sig"},
    {"rt_sigaction", "sig:i act oact sigsetsize:u"},
    {"rt_sigprocmask", "how:i nset oset sigsetsize:u"},
    {"rt_sigreturn", ""},
    {"rt_sigsuspend", "unewset sigsetsize:u"},
    {"rt_sigtimedwait", "uthese uinfo uts sigsetsize:u"},
    {"sched_getaffinity", "pid:i len:u user_mask_ptr"},
    {"sched_setaffinity", "pid:i len:u user_mask_ptr"},
    {"sched_yield", ""},
    {"select", "n:i inp outp exp tvp"},
    {"sendfile", "out_fd:i in_fd:i offset count:u"},
    {"sendmsg", "fd:i msg:m flags"},
    {"sendto", "fd:i buff:d len:u flags addr:a addr_len:u"},
    {"set_robust_list", "head len:u"},
    {"set_tid_address", "tidptr"},
    {"setgid", "gid:i"},
    {"setpgid", "pid:i pgid:i"},
    {"setpriority", "which:i who:i niceval:i"},
    {"setsid", ""},
    {"setsockopt", "fd:i level:i optname:i optval optlen:u"},
    {"setuid", "uid:i"},
    {"setxattr", "path:s name:s value size:u flags"},
    {"shutdown", "fd:i how:i"},
    {"sigaltstack", "uss uoss"},
    {"signalfd4", "ufd:i user_mask sizemask:u flags"},
    {"socket", "family:i type protocol:i"},
    {"socketpair", "family:i type protocol:i usockvec"},
    {"splice", "fd_in:i off_in fd_out:i off_out len:u flags"},
    {"stat", "filename:s statbuf"},
    {"statfs", "pathname:s buf"},
    {"statx", "dfd:i filename:s flags mask buffer"},
    {"symlink", "oldname:s newname:s"},
    {"symlinkat", "oldname:s newdfd:i newname:s"},
    {"sync", ""},
    {"sysinfo", "info"},
    {"syslog", "type:i buf len:i"},
    {"tgkill", "tgid:i pid:i sig:i"},
    {"time", "tloc"},
    {"timerfd_create", "clockid:i flags"},
    {"timerfd_settime", "ufd:i flags utmr otmr"},
    {"times", "tbuf"},
    {"tkill", "pid:i sig:i"},
    {"truncate", "path:s length:u"},
    {"umask", "mask"},
    {"umount2", "name:s flags"},
    {"uname", "name"},
    {"unlink", "pathname:s"},
    {"unlinkat", "dfd:i pathname:s flag"},
    {"utimensat", "dfd:i filename:s utimes flags"},
    {"vfork", ""},
    {"wait4", "upid:i stat_addr options:i ru"},
    {"waitid", "which:i upid:i infop options:i ru"},
    {"write", "fd:i buf:d count:u"},
    {"writev", "fd:i vec:v vlen:u"},
};

static void unknown(struct arch_syscall_args *out)
{
    out->n = ARCH_SYSCALL_ARGS;
    for (unsigned i = 0; i < out->n; i++) {
        snprintf(out->args[i].name, sizeof out->args[i].name, "arg%u", i);
        out->args[i].kind = ARCH_ARG_HEX;
    }
}

static enum arch_arg_kind kind_of(char letter)
{
    switch (letter) {
    case 'i': return ARCH_ARG_INT;
    case 'u': return ARCH_ARG_UINT;
    case 's': return ARCH_ARG_TEXT;
    case 'd': return ARCH_ARG_DATA;
    case 'b': return ARCH_ARG_BACK;
    case 'l': return ARCH_ARG_LIST;
    case 'v': return ARCH_ARG_VECTOR;
    case 'w': return ARCH_ARG_VECTOR_BACK;
    case 'm': return ARCH_ARG_MESSAGE;
    case 'n': return ARCH_ARG_MESSAGE_BACK;
    case 'a': return ARCH_ARG_SOCKADDR;
    default: return ARCH_ARG_HEX;
    }
}

bool arch_syscall_args(const char *name, struct arch_syscall_args *out)
{
    const char *p = NULL;

    *out = (struct arch_syscall_args){0};
    for (size_t i = 0; !p && i < ARRAY_SIZE(signatures); i++)
        if (!strcmp(signatures[i].name, name))
            p = signatures[i].args;
    if (!p) {
        unknown(out);
        return false;
    }
    while (*p && out->n < ARCH_SYSCALL_ARGS) {
        size_t n = strcspn(p, ": ");
        snprintf(out->args[out->n].name, sizeof out->args[0].name, "%.*s", (int)n, p);
        p += n;
        out->args[out->n++].kind = kind_of(*p == ':' ? p[1] : '\0');
        p += *p == ':' ? 2 : 0;
        p += *p == ' ';
    }
    return true;
}

bool arch_syscall_returns(const char *name)
{
    return strcmp(name, "exit") != 0 && strcmp(name, "exit_group") != 0;
}
