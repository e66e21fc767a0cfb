/* SPDX-License-Identifier: ISC */
/* Filters that were made shorter answer as before, whatever they are asked. */
#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/role/bpf.h"

#define X32 0x40000000u

/* As the kernel runs it; jumps out of the program and what seccomp does not know fail the test. */
static uint32_t
run(const struct sock_filter *f, size_t n, const struct seccomp_data *d)
{
	uint32_t a = 0, x = 0;

	for (size_t pc = 0; pc < n; pc++) {
		uint32_t k = f[pc].k;
		bool yes;

		switch (f[pc].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert(k % 4 == 0 && k < sizeof *d);
			memcpy(&a, (const char *)d + k, sizeof a);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= k;
			continue;
		case BPF_MISC | BPF_TAX:
			x = a;
			continue;
		case BPF_MISC | BPF_TXA:
			a = x;
			continue;
		case BPF_RET | BPF_K:
			return k;
		case BPF_JMP | BPF_JA:
			pc += k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = (a & k) != 0;
			break;
		default:
			cr_assert(false, "instruction 0x%x", f[pc].code);
			return 0;
		}
		pc += yes ? f[pc].jt : f[pc].jf;
	}
	cr_assert(false, "the program ends without an answer");
	return 0;
}

static void
compare(const struct sock_filter *a, size_t an, const struct sock_filter *b, size_t bn,
    struct seccomp_data *d)
{
	static const uint64_t args[] = {0, 1, 2, 8, 0x20000, 0x20008, 0xffffffff, 0x7e020000,
	    0x100000000, 0x100000002, UINT64_MAX};

	for (size_t i = 0; i < sizeof args / sizeof *args; i++)
		for (size_t k = 0; k < sizeof args / sizeof *args; k++) {
			d->args[0] = args[i];
			d->args[1] = args[k];
			d->args[2] = args[(i + k) % (sizeof args / sizeof *args)];
			cr_assert_eq(run(a, an, d), run(b, bn, d), "arch %x, call %d, %zu %zu",
			    d->arch, d->nr, i, k);
		}
}

/* Every call up to 1200, those of x32, the numbers at the edges, some at random. */
static void
must_agree(const struct sock_filter *a, size_t an, const struct sock_filter *b, size_t bn)
{
	static const uint32_t arches[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
	    AUDIT_ARCH_ARM, 0, 1, UINT32_MAX};
	static const uint32_t edges[] = {
	    X32 - 1, X32 + 1200, INT32_MAX, 0x80000000, UINT32_MAX - 1, UINT32_MAX};

	srandom(1);
	for (size_t i = 0; i < sizeof arches / sizeof *arches; i++) {
		struct seccomp_data d = {.arch = arches[i]};

		for (uint32_t nr = 0; nr < 1200; nr++) {
			d.nr = (int)nr;
			compare(a, an, b, bn, &d);
			d.nr = (int)(nr | X32);
			compare(a, an, b, bn, &d);
		}
		for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
			d.nr = (int)edges[k];
			compare(a, an, b, bn, &d);
		}
		for (int k = 0; k < 500; k++) {
			d.nr = (int)((uint32_t)random() << 1 ^ (uint32_t)random());
			compare(a, an, b, bn, &d);
		}
	}
}

static size_t export(scmp_filter_ctx ctx, struct sock_filter *out)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n;

	cr_assert_eq(seccomp_export_bpf(ctx, fd), 0);
	n = pread(fd, out, BPF_MAXINSNS * sizeof *out, 0);
	close(fd);
	seccomp_release(ctx);
	return (size_t)n / sizeof *out;
}

/* A filter of many calls, some of them by their arguments, each tenth refused with a number of its own. */
static scmp_filter_ctx
many(const uint32_t *arches, size_t n, unsigned calls, unsigned step)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(38));

	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < n; i++)
		(void)seccomp_arch_add(ctx, arches[i]);
	for (unsigned nr = 0; nr < calls; nr += 1 + nr % step) {
		uint32_t action = nr % 10 == 3 ? SCMP_ACT_ERRNO(nr) : SCMP_ACT_ALLOW;

		if (nr % 17 == 5) {
			(void)seccomp_rule_add(ctx, action, (int)nr, 1, SCMP_A0(SCMP_CMP_EQ, 8));
			(void)seccomp_rule_add(ctx, action, (int)nr, 2,
			    SCMP_A1(SCMP_CMP_MASKED_EQ, 0x7e020000, 0), SCMP_A0(SCMP_CMP_GT, 1));
		} else if (nr % 17 == 6) {
			(void)seccomp_rule_add(
			    ctx, action, (int)nr, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 0x20008, 0x20008));
		} else {
			(void)seccomp_rule_add(ctx, action, (int)nr, 0);
		}
	}
	return ctx;
}

static void
check(scmp_filter_ctx ctx)
{
	static struct sock_filter a[BPF_MAXINSNS], b[BPF_MAXINSNS];
	size_t an = export(ctx, a), bn = bpf_compact(a, an, b, BPF_MAXINSNS);

	cr_assert(bn > 0 && bn < an, "%zu of %zu", bn, an);
	must_agree(a, an, b, bn);
	/* Room for one less is refused, not overrun. */
	b[bn - 1].code = 0x1234;
	cr_assert_eq(bpf_compact(a, an, b, bn - 1), 0);
	cr_assert_eq(b[bn - 1].code, 0x1234);
}

Test(bpf, one_architecture)
{
	check(many(NULL, 0, 450, 1));
	check(many(NULL, 0, 30, 1));
}

Test(bpf, three_architectures)
{
	const uint32_t arches[] = {
	    SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64};

	check(many(arches, 3, 450, 1));
	check(many(arches, 4, 450, 3));
}

Test(bpf, other_forms_are_left_alone)
{
	struct sock_filter out[8];
	const struct sock_filter masked[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
	    {BPF_ALU | BPF_AND | BPF_K, 0, 0, 1}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1},
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}, {BPF_RET | BPF_K, 0, 0, 0}};
	const struct sock_filter ordered[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 4},
	    {BPF_JMP | BPF_JGT | BPF_K, 0, 1, 7}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	    {BPF_RET | BPF_K, 0, 0, 0}};
	const struct sock_filter endless[] = {
	    {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}, {BPF_JMP | BPF_JA, 0, 0, 0xffffffff}};
	const struct sock_filter past[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 16},
	    {BPF_JMP | BPF_JEQ | BPF_K, 200, 0, 1}, {BPF_RET | BPF_K, 0, 0, 0}};

	cr_assert_eq(bpf_compact(masked, 5, out, 8), 0);
	cr_assert_eq(bpf_compact(ordered, 4, out, 8), 0);
	cr_assert_eq(bpf_compact(endless, 2, out, 8), 0);
	cr_assert_eq(bpf_compact(past, 3, out, 8), 0);
	cr_assert_eq(bpf_compact(past, 0, out, 8), 0);
}
