/* SPDX-License-Identifier: ISC */
/*
 * The built-in profile.  What is not listed does not exist for the container (ENOSYS), so that libraries
 * which probe for new calls fall back; what is listed as refused fails with EPERM, as it would without the
 * privilege.  Names that a kernel or an architecture lacks do no harm.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "pod-run/oci/seccomp_profile.h"
#include "pod-run/oci/spec_list.h"

#define CAP(x) ((uint64_t)1 << CAP_##x)

/* Calls that every container may make, by what they are for.  Older forms of a call stand beside it. */
static const char *const allowed[] = {
    /* files in hand */
    "read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 close close_range "
    "lseek "
    "_llseek dup dup2 dup3 fcntl fcntl64 ioctl flock fsync fdatasync sync syncfs sync_file_range "
    "sync_file_range2 arm_sync_file_range ftruncate ftruncate64 fallocate readahead fadvise64 "
    "fadvise64_64 arm_fadvise64_64 copy_file_range sendfile sendfile64 splice tee vmsplice pipe "
    "pipe2 "
    "cachestat",
    /* names */
    "open openat openat2 creat access faccessat faccessat2 stat stat64 lstat lstat64 fstat fstat64 "
    "fstatat64 newfstatat oldstat oldlstat oldfstat statx statfs statfs64 fstatfs fstatfs64 ustat "
    "getdents getdents64 readdir readlink readlinkat getcwd chdir fchdir mkdir mkdirat rmdir link "
    "linkat "
    "symlink symlinkat unlink unlinkat rename renameat renameat2 mknod mknodat truncate truncate64 "
    "chmod "
    "fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 umask utime "
    "utimes "
    "utimensat utimensat_time64 futimesat name_to_handle_at",
    /* extended attributes */
    "getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr "
    "removexattr lremovexattr fremovexattr getxattrat setxattrat listxattrat removexattrat",
    /* waiting for events */
    "poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 "
    "epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 "
    "signalfd "
    "signalfd4 timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64 "
    "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark io_setup "
    "io_submit "
    "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64",
    /* memory */
    "brk mmap mmap2 munmap mremap mprotect msync mincore madvise mlock mlock2 munlock mlockall "
    "munlockall "
    "memfd_create memfd_secret remap_file_pages pkey_alloc pkey_free pkey_mprotect membarrier "
    "map_shadow_stack mseal process_mrelease process_madvise",
    /* processes and threads */
    "clone clone3 fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill "
    "tgkill "
    "pidfd_open pidfd_send_signal getpid getppid gettid getpgid setpgid getpgrp getsid setsid "
    "set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area arch_prctl "
    "modify_ldt prctl seccomp rseq restart_syscall futex futex_time64 futex_waitv futex_wait "
    "futex_wake "
    "futex_requeue ptrace process_vm_readv process_vm_writev unshare setns",
    /* signals */
    "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait "
    "rt_sigtimedwait_time64 "
    "rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn sigaction sigprocmask sigpending sigsuspend "
    "sigreturn "
    "sigaltstack signal pause alarm",
    /* identity */
    "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 "
    "getresgid "
    "getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 "
    "setregid "
    "setregid32 setresuid setresuid32 setresgid setresgid32 setgroups setgroups32 setfsuid "
    "setfsuid32 "
    "setfsgid setfsgid32 capget capset landlock_create_ruleset landlock_add_rule "
    "landlock_restrict_self "
    "keyctl",
    /* scheduling and limits */
    "sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam "
    "sched_getscheduler "
    "sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min "
    "sched_rr_get_interval sched_rr_get_interval_time64 getpriority setpriority nice ioprio_get "
    "ioprio_set "
    "getrlimit ugetrlimit setrlimit prlimit64 getrusage times getcpu",
    /* time */
    "time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
    "clock_nanosleep "
    "clock_nanosleep_time64 nanosleep getitimer setitimer timer_create timer_delete timer_settime "
    "timer_settime64 timer_gettime timer_gettime64 timer_getoverrun adjtimex clock_adjtime "
    "clock_adjtime64",
    /* networks; socket itself is further down */
    "socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername "
    "getsockopt "
    "setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64",
    /* System V and POSIX inter-process communication */
    "ipc shmget shmat shmdt shmctl semget semop semctl semtimedop semtimedop_time64 msgget msgsnd "
    "msgrcv "
    "msgctl mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive "
    "mq_timedreceive_time64 "
    "mq_notify mq_getsetattr",
    /* mounts: the kernel asks for CAP_SYS_ADMIN in the user namespace; containers in containers need them */
    "mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick "
    "pivot_root "
    "statmount listmount",
    /* the rest */
    "uname olduname oldolduname sysinfo getrandom breakpoint cacheflush set_tls get_tls "
    "swapcontext",
};

/* Calls that open up with any one of the capabilities, and else fail with EPERM. */
static const struct {
	uint64_t caps;
	const char *names;
} privileged[] = {
    {CAP(DAC_READ_SEARCH), "open_by_handle_at"},
    {CAP(SYS_ADMIN), "bpf fanotify_init lookup_dcookie perf_event_open quotactl quotactl_fd "
		     "setdomainname sethostname "
		     "syslog"},
    {CAP(BPF), "bpf"},
    {CAP(PERFMON), "perf_event_open"},
    {CAP(SYSLOG), "syslog"},
    {CAP(SYS_BOOT), "reboot"},
    {CAP(SYS_CHROOT), "chroot"},
    {CAP(SYS_MODULE), "init_module finit_module delete_module query_module"},
    {CAP(SYS_NICE), "get_mempolicy set_mempolicy set_mempolicy_home_node mbind"},
    {CAP(SYS_PACCT), "acct"},
    {CAP(SYS_PTRACE), "kcmp pidfd_getfd"},
    {CAP(SYS_RAWIO), "ioperm iopl"},
    {CAP(SYS_TIME), "settimeofday stime clock_settime clock_settime64"},
    {CAP(SYS_TTY_CONFIG), "vhangup"},
};

/* Never: they act on the whole host, or have been a way into the kernel too often. */
static const char refused[] =
    "add_key request_key userfaultfd io_uring_setup io_uring_enter io_uring_register kexec_load "
    "kexec_file_load migrate_pages move_pages nfsservctl swapon swapoff uselib vm86 vm86old sysfs "
    "_sysctl create_module get_kernel_syms bdflush pciconfig_read pciconfig_write pciconfig_iobase";

/* Execution domains that change nothing but addresses and names: Linux, 32 bits, version 2.6, "ask". */
static const uint64_t personas[] = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};

static void
split(const char *names, struct arena *a, struct strs *out)
{
	char *rest = arena_strdup(a, names);

	for (char *name; (name = strsep(&rest, " ")) != NULL;)
		if (*name != '\0')
			spec_list_add(a, out, name);
}

static struct seccomp_rule *
rule(struct seccomp_profile *p, struct arena *a, const char *action, int errno_ret)
{
	struct seccomp_rule *r = SPEC_PUSH(a, &p->rules);

	r->action = action;
	r->errno_ret = errno_ret;
	return r;
}

static void
arg(struct seccomp_rule *r, unsigned index, const char *op, uint64_t value)
{
	r->args[r->args_n++] = (struct seccomp_arg){.index = index, .op = op, .value = value};
}

static void
add_privileged(uint64_t caps, struct arena *a, struct seccomp_profile *out)
{
	struct strs open = {0}, closed = {0};
	struct seccomp_rule *r;

	for (size_t i = 0; i < COUNTOF(privileged); i++)
		if (caps & privileged[i].caps)
			split(privileged[i].names, a, &open);
	for (size_t i = 0; i < COUNTOF(privileged); i++) {
		struct strs names = {0};

		split(privileged[i].names, a, &names);
		for (size_t k = 0; k < names.n; k++)
			if (!spec_list_has(&open, names.v[k]))
				spec_list_add(a, &closed, names.v[k]);
	}
	spec_list_sort(&open);
	spec_list_sort(&closed);
	split(refused, a, &closed);
	if (open.n > 0)
		rule(out, a, "SCMP_ACT_ALLOW", -1)->names = open;
	r = rule(out, a, "SCMP_ACT_ERRNO", EPERM);
	r->names = closed;
}

/*
 * The audit socket is no use without its capability, and programs that log in users take EINVAL, not a
 * refusal, as "no audit here".
 */
static void
add_socket(uint64_t caps, struct arena *a, struct seccomp_profile *out)
{
	const uint64_t netlink = AF_NETLINK, audit = 9;
	struct seccomp_rule *r;

	if (caps & CAP(AUDIT_WRITE)) {
		spec_list_add(a, &rule(out, a, "SCMP_ACT_ALLOW", -1)->names, "socket");
		return;
	}
	r = rule(out, a, "SCMP_ACT_ALLOW", -1);
	spec_list_add(a, &r->names, "socket");
	arg(r, 0, "SCMP_CMP_NE", netlink);
	r = rule(out, a, "SCMP_ACT_ALLOW", -1);
	spec_list_add(a, &r->names, "socket");
	arg(r, 2, "SCMP_CMP_NE", audit);
	r = rule(out, a, "SCMP_ACT_ERRNO", EINVAL);
	spec_list_add(a, &r->names, "socket");
	arg(r, 0, "SCMP_CMP_EQ", netlink);
	arg(r, 2, "SCMP_CMP_EQ", audit);
}

const char *
seccomp_profile_go_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#else
#error "this architecture has no table of system calls here"
#endif
}

const char *
seccomp_profile_native(void)
{
#if defined(__x86_64__)
	return "SCMP_ARCH_X86_64";
#else
	return "SCMP_ARCH_AARCH64";
#endif
}

void
seccomp_profile_default(uint64_t caps, struct arena *a, struct seccomp_profile *out)
{
	struct seccomp_rule *r;

	*out =
	    (struct seccomp_profile){.default_action = "SCMP_ACT_ERRNO", .default_errno = ENOSYS};
	spec_list_add(a, &out->architectures, seccomp_profile_native());
#if defined(__x86_64__)
	spec_list_add(a, &out->architectures, "SCMP_ARCH_X86");
	spec_list_add(a, &out->architectures, "SCMP_ARCH_X32");
#else
	spec_list_add(a, &out->architectures, "SCMP_ARCH_ARM");
#endif
	r = rule(out, a, "SCMP_ACT_ALLOW", -1);
	for (size_t i = 0; i < COUNTOF(allowed); i++)
		split(allowed[i], a, &r->names);
	for (size_t i = 0; i < COUNTOF(personas); i++) {
		r = rule(out, a, "SCMP_ACT_ALLOW", -1);
		spec_list_add(a, &r->names, "personality");
		arg(r, 0, "SCMP_CMP_EQ", personas[i]);
	}
	add_socket(caps, a, out);
	add_privileged(caps, a, out);
}
