/* SPDX-License-Identifier: ISC */
/* Seccomp profiles: what the built-in one says, and reading those of others. */
// objs: pod-run/oci/seccomp_profile.o pod-run/oci/seccomp_default.o pod-run/oci/spec_list.o
// objs: pod-run/oci/spec_cap.o pod-run/oci/config_json.o
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "pod-run/oci/seccomp_profile.h"
#include "pod-run/oci/spec_list.h"

static struct arena a;
static struct err e;
static struct seccomp_profile p;

static void
teardown(void)
{
	arena_free(&a);
}
TestSuite(seccomp, .fini = teardown);

/* The action for a call without conditions on its arguments, or the default's. */
static const char *
action_of(const char *name, int *errno_ret)
{
	*errno_ret = p.default_errno;
	for (size_t i = 0; i < p.rules.n; i++)
		if (p.rules.v[i].args_n == 0 && spec_list_has(&p.rules.v[i].names, name)) {
			*errno_ret = p.rules.v[i].errno_ret;
			return p.rules.v[i].action;
		}
	return p.default_action;
}

static bool
is(const char *name, const char *action, int errno_ret)
{
	int got;
	const char *found = action_of(name, &got);

	return strcmp(found, action) == 0 && got == errno_ret;
}

Test(seccomp, builtin)
{
	seccomp_profile_default(0, &a, &p);
	cr_assert(is("read", "SCMP_ACT_ALLOW", -1));
	cr_assert(is("clone3", "SCMP_ACT_ALLOW", -1));
	cr_assert(is("ptrace", "SCMP_ACT_ALLOW", -1));
	cr_assert(is("bpf", "SCMP_ACT_ERRNO", 1), "refused as without privilege");
	cr_assert(is("kexec_load", "SCMP_ACT_ERRNO", 1));
	cr_assert(is("chroot", "SCMP_ACT_ERRNO", 1));
	cr_assert(is("a_call_of_the_future", "SCMP_ACT_ERRNO", 38), "libraries fall back");
	seccomp_profile_default(1ull << CAP_SYS_CHROOT | 1ull << CAP_BPF, &a, &p);
	cr_assert(is("chroot", "SCMP_ACT_ALLOW", -1));
	cr_assert(is("bpf", "SCMP_ACT_ALLOW", -1));
	cr_assert(is("kexec_load", "SCMP_ACT_ERRNO", 1), "no capability opens it");
	seccomp_profile_default(~0ull, &a, &p);
	cr_assert(is("userfaultfd", "SCMP_ACT_ERRNO", 1));
	cr_assert(is("socket", "SCMP_ACT_ALLOW", -1), "with CAP_AUDIT_WRITE");
}

Test(seccomp, builtin_names_a_call_once)
{
	for (int all = 0; all < 2; all++) {
		struct strs seen = {0};

		seccomp_profile_default(all ? ~0ull : 0, &a, &p);
		for (size_t i = 0; i < p.rules.n; i++)
			for (size_t k = 0; p.rules.v[i].args_n == 0 && k < p.rules.v[i].names.n;
			     k++) {
				const char *name = p.rules.v[i].names.v[k];

				cr_expect_not(spec_list_has(&seen, name), "%s twice", name);
				spec_list_add(&a, &seen, name);
			}
		cr_assert_gt(seen.n, 380);
	}
}

Test(seccomp, written_form_is_json)
{
	struct strbuf b = {0};
	json_t *j;

	seccomp_profile_default(0, &a, &p);
	seccomp_profile_write(&p, &b);
	j = json_read(b.s, b.n, &e);
	cr_assert_not_null(j, "%s", e.text);
	cr_assert_str_eq(json_string_value(json_object_get(j, "defaultAction")), "SCMP_ACT_ERRNO");
	cr_assert_eq(json_integer_value(json_object_get(j, "defaultErrnoRet")), 38);
	json_decref(j);
	strbuf_free(&b);
}

static int
read_profile(const char *json, uint64_t caps)
{
	err_clear(&e);
	return seccomp_profile_read(json, strlen(json), caps, &a, &p, &e);
}

#define ONE(rule) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" rule "]}"
#define ALLOW "\"names\":[\"x\"],\"action\":\"SCMP_ACT_ALLOW\""

Test(seccomp, conditions)
{
	static const struct {
		const char *json;
		uint64_t caps;
		bool applies;
	} cases[] = {
	    {ONE("{" ALLOW "}"), 0, true},
	    {ONE("{" ALLOW ",\"includes\":{},\"excludes\":{}}"), 0, true},
	    {ONE("{" ALLOW ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}"), 0, false},
	    {ONE("{" ALLOW ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}"), 1 << CAP_SYS_ADMIN,
		true},
	    {ONE("{" ALLOW ",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_BPF\"]}}"),
		1 << CAP_SYS_ADMIN, false},
	    {ONE("{" ALLOW ",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}"), 0, true},
	    {ONE("{" ALLOW ",\"includes\":{\"arches\":[\"s390x\"]}}"), 0, false},
	    {ONE("{" ALLOW ",\"includes\":{\"arches\":[\"amd64\",\"arm64\"]}}"), 0, true},
	    {ONE("{" ALLOW ",\"excludes\":{\"arches\":[\"amd64\",\"arm64\"]}}"), 0, false},
	    {ONE("{" ALLOW ",\"includes\":{\"minKernel\":\"4.8\"}}"), 0, true},
	    {ONE("{" ALLOW ",\"includes\":{\"minKernel\":\"999.1\"}}"), 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(
		    read_profile(cases[i].json, cases[i].caps), 0, "%s: %s", cases[i].json, e.text);
		cr_expect_eq(p.rules.n, cases[i].applies ? 1 : 0, "%s", cases[i].json);
	}
}

Test(seccomp, old_forms)
{
	cr_assert_eq(
	    read_profile("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"ENOSYS\","
			 "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\","
			 "\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
			 "{\"architecture\":\"SCMP_ARCH_AARCH64\","
			 "\"subArchitectures\":[\"SCMP_ARCH_ARM\"]}],"
			 "\"syscalls\":[{\"name\":\"read\",\"action\":\"SCMP_ACT_ERRNO\","
			 "\"errno\":\"EACCES\",\"args\":null,\"comment\":\"c\"}]}",
		0),
	    0, "%s", e.text);
	cr_assert_eq(p.default_errno, 38);
	cr_assert_eq(p.architectures.n, 2);
	cr_assert_eq(p.rules.v[0].errno_ret, 13);
}

Test(seccomp, malformed)
{
	static const char *const cases[] = {"", "[]", "{}", "{\"defaultAction\":5}",
	    "{\"defaultAction\":\"SCMP_ACT_MAYBE\"}", "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}",
	    ONE("{\"names\":[\"a b\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    ONE("{\"names\":[\"\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    ONE("{\"names\":[1],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    ONE("{\"name\":\"x\",\"names\":[\"y\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    ONE("{" ALLOW ",\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}"),
	    ONE("{" ALLOW ",\"args\":[{\"index\":1,\"op\":\"SCMP_CMP_XX\"}]}"),
	    ONE("{" ALLOW ",\"args\":[1]}"), ONE("{" ALLOW ",\"errnoRet\":99999}"), ONE("7"),
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"NONE\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"VAX\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
	    "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86\"}]}"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(read_profile(cases[i], 0), -1, "%s", cases[i]);
		cr_expect(err_is_set(&e), "%s", cases[i]);
	}
}
