/* SPDX-License-Identifier: ISC */
/*
 * pod-run-seccomp --compile: reads the OCI form of a seccomp profile from standard input and writes the BPF
 * program, arranged as a tree, to standard output.  A program of its own, since libseccomp takes longer to
 * load and to compile than all the rest of a start.
 *
 * pod-run-seccomp --reduce: reads the capabilities of a container (16 hexadecimal digits and a newline) and a
 * profile that came with an image, and writes the OCI form of what applies.
 *
 * Ends with 1 and writes what was wrong instead where it cannot.
 */
#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/bpf.h"
#include "common/role/role.h"
#include "pod-run/oci/seccomp_profile.h"

#define INPUT_MAX ((size_t)4 << 20)
#define OPTIMIZE_TREE 2 /* a binary tree over the calls, SCMP_FLTATR_CTL_OPTIMIZE */

/* SCMP_ACT_KILL_PROCESS has the top bit set, so actions are unsigned. */
static int
action(const json_t *j, const char *key, const char *errno_key, uint32_t *out, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t value;
	} table[] = {{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
	    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
	    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS}, {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
	    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}, {"SCMP_ACT_LOG", SCMP_ACT_LOG}};
	int64_t number = EPERM;
	const char *name;

	if (json_need_str(j, key, &name, e) < 0 ||
	    json_want_int(j, errno_key, 0, 0xffff, &number, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNTOF(table); i++)
		if (strcmp(table[i].name, name) == 0) {
			*out = table[i].value;
			return 0;
		}
	if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		*out = SCMP_ACT_ERRNO((uint16_t)number);
	else if (strcmp(name, "SCMP_ACT_TRACE") == 0)
		*out = SCMP_ACT_TRACE((uint16_t)number);
	else
		return err_set(e, ERR_FORMAT, "unknown action %s", name);
	return 0;
}

static int
compare(const char *name, enum scmp_compare *out)
{
	static const struct {
		const char *name;
		enum scmp_compare value;
	} table[] = {{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT},
	    {"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_EQ", SCMP_CMP_EQ},
	    {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
	    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};

	for (size_t i = 0; i < COUNTOF(table); i++)
		if (strcmp(table[i].name, name) == 0) {
			*out = table[i].value;
			return 0;
		}
	return -1;
}

static int
arguments(const json_t *rule, struct scmp_arg_cmp args[6], unsigned *n, struct err *e)
{
	json_t *list = NULL, *j;
	size_t i;

	*n = 0;
	if (json_want_arr(rule, "args", &list, e) < 0)
		return -1;
	json_array_foreach (list, i, j) {
		int64_t index, value = 0, two = 0;
		enum scmp_compare op;
		const char *name;

		if (i >= 6 || json_need_int(j, "index", 0, 5, &index, e) < 0 ||
		    json_want_int(j, "value", INT64_MIN, INT64_MAX, &value, e) < 0 ||
		    json_want_int(j, "valueTwo", INT64_MIN, INT64_MAX, &two, e) < 0 ||
		    json_need_str(j, "op", &name, e) < 0 || compare(name, &op) < 0)
			return err_set(e, ERR_FORMAT, "bad argument of a rule");
		args[(*n)++] = (struct scmp_arg_cmp){.arg = (unsigned)index,
		    .op = op,
		    .datum_a = (scmp_datum_t)value,
		    .datum_b = (scmp_datum_t)two};
	}
	return 0;
}

static int
add_rule(scmp_filter_ctx ctx, const json_t *rule, uint32_t fallback, struct err *e)
{
	struct scmp_arg_cmp args[6];
	json_t *names = NULL, *j;
	uint32_t act;
	unsigned n;
	size_t i;

	if (action(rule, "action", "errnoRet", &act, e) < 0 || arguments(rule, args, &n, e) < 0 ||
	    json_need_arr(rule, "names", &names, e) < 0)
		return -1;
	json_array_foreach (names, i, j) {
		int number =
			seccomp_syscall_resolve_name(json_is_string(j) ? json_string_value(j) : ""),
		    rc;

		/* A call that this library does not know is left to the default. */
		if (number == __NR_SCMP_ERROR || act == fallback)
			continue;
		rc = seccomp_rule_add_array(ctx, act, number, n, args);
		if (rc < 0) {
			errno = -rc;
			return err_sys(e, "rule for %s", json_string_value(j));
		}
	}
	return 0;
}

static int
add_arches(scmp_filter_ctx ctx, const json_t *profile, struct err *e)
{
	json_t *list = NULL, *j;
	size_t i;

	if (json_want_arr(profile, "architectures", &list, e) < 0)
		return -1;
	json_array_foreach (list, i, j) {
		char name[32] = "";
		uint32_t arch;
		int rc;

		/* "SCMP_ARCH_X86_64" is "x86_64" to the library. */
		if (json_is_string(j) && strncmp(json_string_value(j), "SCMP_ARCH_", 10) == 0)
			snprintf(name, sizeof(name), "%s", json_string_value(j) + 10);
		for (char *p = name; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		arch = seccomp_arch_resolve_name(name);
		rc = arch == 0 ? -EINVAL : seccomp_arch_add(ctx, arch);
		if (rc < 0 && rc != -EEXIST)
			return err_set(e, ERR_FORMAT, "architecture %s", name);
	}
	return 0;
}

static int
write_filter(scmp_filter_ctx ctx, struct err *e)
{
	static struct sock_filter made[BPF_MAXINSNS], compact[BPF_MAXINSNS];
	const struct sock_filter *f = compact;
	own_mem char *bytes = NULL;
	own_fd int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t size, fewer;

	if (fd < 0)
		return err_sys(e, "making a file in memory");
	if (seccomp_export_bpf(ctx, fd) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, ERR_INTERNAL, "seccomp_export_bpf failed");
	if (file_slurp(fd, sizeof(made), "seccomp filter", &bytes, &size, e) < 0)
		return -1;
	memcpy(made, bytes, size);
	fewer = bpf_compact(made, size / sizeof(*made), compact, BPF_MAXINSNS);
	if (fewer == 0)
		f = made;
	else
		size = fewer * sizeof(*f);
	return file_put(1, (const char *)f, size) < 0 ? err_sys(e, "writing the seccomp filter")
						      : 0;
}

static int
compile(const json_t *profile, struct err *e)
{
	json_t *rules = NULL, *flags = NULL, *rule;
	scmp_filter_ctx ctx;
	uint32_t fallback;
	size_t i;
	int rc;

	/* Flags travel only in the JSON form. */
	if (json_want_arr(profile, "flags", &flags, e) < 0 || json_array_size(flags) > 0)
		return err_set(e, ERR_INVALID, "flags are for the runtime");
	if (action(profile, "defaultAction", "defaultErrnoRet", &fallback, e) < 0 ||
	    json_want_arr(profile, "syscalls", &rules, e) < 0)
		return -1;
	ctx = seccomp_init(fallback);
	if (ctx == NULL)
		return err_set(e, ERR_INTERNAL, "seccomp_init failed");
	/* Without the attribute, as in old libraries, the filter is merely slower. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
	rc = add_arches(ctx, profile, e);
	json_array_foreach (rules, i, rule)
		if (rc == 0)
			rc = add_rule(ctx, rule, fallback, e);
	if (rc == 0)
		rc = write_filter(ctx, e);
	seccomp_release(ctx);
	return rc;
}

#define CAPS_DIGITS 16

static int
reduce(struct err *e)
{
	own_strbuf struct strbuf json = {0};
	own_arena struct arena a = {0};
	own_mem char *text = NULL;
	struct seccomp_profile p;
	uint64_t caps;
	char *end;
	size_t n;

	if (file_slurp(0, INPUT_MAX, "seccomp profile", &text, &n, e) < 0)
		return -1;
	caps = strtoull(text, &end, 16);
	if (end != text + CAPS_DIGITS || *end != '\n')
		return err_set(e, ERR_FORMAT, "seccomp profile: no capabilities before it");
	n -= CAPS_DIGITS + 1;
	if (seccomp_profile_read(end + 1, n, caps, &a, &p, e) < 0)
		return -1;
	seccomp_profile_write(&p, &json);
	return file_put(1, json.s, json.n) < 0 ? err_sys(e, "writing the seccomp profile") : 0;
}

int
main(int argc, char **argv)
{
	bool reducing = argc > 1 && strcmp(argv[1], "--reduce") == 0;
	own_json json_t *profile = NULL;
	struct err e = {0};

	role_start();
	/* The libraries ask for random bytes and what the kernel can do; the role would not let them. */
	json_object_seed(0);
	seccomp_api_get();
	if (role_enter(ROLE_SECCOMP, NULL, 0, &e) == 0) {
		if (reducing && reduce(&e) == 0)
			return 0;
		if (!reducing &&
		    (profile = json_read_fd(0, INPUT_MAX, "seccomp profile", &e)) != NULL &&
		    compile(profile, &e) == 0)
			return 0;
	}
	/* The caller says it, beside what it was doing. */
	if (file_put(1, e.text, strlen(e.text)) < 0)
		err_print(&e, stderr);
	return 1;
}
