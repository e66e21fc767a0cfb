/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/seccomp_profile.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/oci/spec_list.h"

#define BYTES_MAX ((size_t)1 << 20)
#define DEPTH_MAX 8
#define RULES_MAX 4096
#define NAMES_MAX 16384 /* of all rules together */
#define NAME_MAX_ 64

static const char *const actions[] = {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG"};
static const char *const operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
static const char *const flags[] = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
static const char *const architectures[] = {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64"};

struct reader {
	struct arena *a;
	uint64_t caps;
	size_t names;
	struct seccomp_profile *out;
};

/* The known word that equals s, or NULL with e. */
static const char *
known(const char *const *list, size_t n, const char *what, const char *s, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return list[i];
	err_set(e, ERR_FORMAT, "unknown %s \"%s\"", what, s);
	return NULL;
}

static int
read_action(const json_t *j, const char *key, const char **out, struct err *e)
{
	const char *s;

	if (json_need_str(j, key, &s, e) < 0)
		return -1;
	if (strcmp(s, "SCMP_ACT_NOTIFY") == 0)
		return err_set(e, ERR_UNSUPPORTED, "SCMP_ACT_NOTIFY is not built");
	*out = known(actions, COUNTOF(actions), "action", s, e);
	return *out == NULL ? -1 : 0;
}

/* A number, or the name of an errno, which Podman's profiles carry beside it. */
static int
read_errno(const json_t *j, const char *number, const char *name, int *out, struct err *e)
{
	const char *s = NULL;
	int64_t n = -1;

	if (json_want_int(j, number, 0, 4095, &n, e) < 0 || json_want_str(j, name, &s, e) < 0)
		return -1;
	if (n < 0 && s != NULL && *s != '\0') {
		n = err_errno_from_name(s);
		if (n == 0)
			return err_set(e, ERR_FORMAT, "unknown errno \"%s\"", s);
	}
	*out = (int)n;
	return 0;
}

/* --- Conditions ----------------------------------------------------------------------------------*/

static bool
has_word(const json_t *list, const char *word)
{
	const json_t *j;
	size_t i;

	json_array_foreach (list, i, j)
		if (json_is_string(j) && strcmp(json_string_value(j), word) == 0)
			return true;
	return false;
}

/* True if the container has the capability; how many of the list it has, and whether all. */
static void
count_caps(const json_t *list, uint64_t caps, bool *any, bool *all)
{
	const json_t *j;
	size_t i;

	*any = false;
	*all = true;
	json_array_foreach (list, i, j) {
		int number = json_is_string(j) ? spec_cap_number(json_string_value(j)) : -1;

		if (number >= 0 && (caps >> number & 1))
			*any = true;
		else
			*all = false;
	}
}

static bool
kernel_at_least(const char *wanted)
{
	unsigned want[2] = {0, 0}, have[2] = {0, 0};
	struct utsname u;

	if (sscanf(wanted, "%u.%u", &want[0], &want[1]) < 1 || uname(&u) < 0 ||
	    sscanf(u.release, "%u.%u", &have[0], &have[1]) < 1)
		return false;
	return have[0] != want[0] ? have[0] > want[0] : have[1] >= want[1];
}

/* Whether a rule applies to this container on this machine. */
static int
applies(const json_t *rule, uint64_t caps, bool *out, struct err *e)
{
	json_t *in = NULL, *ex = NULL, *list;
	const char *kernel = NULL;
	bool any, all;

	*out = true;
	if (json_want_obj(rule, "includes", &in, e) < 0 ||
	    json_want_obj(rule, "excludes", &ex, e) < 0)
		return -1;
	list = NULL;
	if (in != NULL && json_want_arr(in, "arches", &list, e) < 0)
		return -1;
	if (json_array_size(list) > 0 && !has_word(list, seccomp_profile_go_arch()))
		*out = false;
	list = NULL;
	if (in != NULL && json_want_arr(in, "caps", &list, e) < 0)
		return -1;
	count_caps(list, caps, &any, &all);
	if (json_array_size(list) > 0 && !all)
		*out = false;
	if (in != NULL && json_want_str(in, "minKernel", &kernel, e) < 0)
		return -1;
	if (kernel != NULL && *kernel != '\0' && !kernel_at_least(kernel))
		*out = false;
	list = NULL;
	if (ex != NULL && json_want_arr(ex, "arches", &list, e) < 0)
		return -1;
	if (has_word(list, seccomp_profile_go_arch()))
		*out = false;
	list = NULL;
	if (ex != NULL && json_want_arr(ex, "caps", &list, e) < 0)
		return -1;
	count_caps(list, caps, &any, &all);
	if (any)
		*out = false;
	return 0;
}

/* --- Rules ---------------------------------------------------------------------------------------*/

static int
add_name(struct reader *r, struct seccomp_rule *rule, const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_ ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
		return err_set(e, ERR_FORMAT, "bad name of a system call: \"%.64s\"", name);
	if (++r->names > NAMES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d names of system calls", NAMES_MAX);
	spec_list_add(r->a, &rule->names, arena_strdup(r->a, name));
	return 0;
}

static int
read_names(struct reader *r, const json_t *j, struct seccomp_rule *rule, struct err *e)
{
	const char *name = NULL;
	json_t *list = NULL, *item;
	size_t i;

	if (json_want_str(j, "name", &name, e) < 0 || json_want_arr(j, "names", &list, e) < 0)
		return -1;
	if (name != NULL && *name != '\0' && json_array_size(list) > 0)
		return err_set(e, ERR_FORMAT,
		    "both 'name' and 'names' are specified for one system call rule");
	if (name != NULL && *name != '\0' && add_name(r, rule, name, e) < 0)
		return -1;
	json_array_foreach (list, i, item) {
		if (!json_is_string(item))
			return err_set(e, ERR_FORMAT, "names[%zu]: not a string", i);
		if (add_name(r, rule, json_string_value(item), e) < 0)
			return -1;
	}
	return 0;
}

static int
read_args(const json_t *j, struct seccomp_rule *rule, struct err *e)
{
	json_t *list = NULL, *item;
	size_t i;

	if (json_want_arr(j, "args", &list, e) < 0)
		return -1;
	if (json_array_size(list) > COUNTOF(rule->args))
		return err_set(e, ERR_FORMAT, "more than %zu arguments", COUNTOF(rule->args));
	json_array_foreach (list, i, item) {
		struct seccomp_arg *x = &rule->args[rule->args_n];
		int64_t index, value = 0, two = 0;
		const char *op;

		if (!json_is_object(item))
			return err_set(e, ERR_FORMAT, "args[%zu]: not an object", i);
		if (json_need_int(item, "index", 0, 5, &index, e) < 0 ||
		    json_want_int(item, "value", 0, INT64_MAX, &value, e) < 0 ||
		    json_want_int(item, "valueTwo", 0, INT64_MAX, &two, e) < 0 ||
		    json_need_str(item, "op", &op, e) < 0)
			return err_wrap(e, "args[%zu]", i);
		x->op = known(operators, COUNTOF(operators), "operator", op, e);
		if (x->op == NULL)
			return -1;
		x->index = (unsigned)index;
		x->value = (uint64_t)value;
		x->value_two = (uint64_t)two;
		rule->args_n++;
	}
	return 0;
}

static int
read_rule(struct reader *r, const json_t *j, struct err *e)
{
	struct seccomp_rule rule = {0};
	bool yes;

	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "not an object");
	if (read_action(j, "action", &rule.action, e) < 0 ||
	    read_errno(j, "errnoRet", "errno", &rule.errno_ret, e) < 0 ||
	    read_names(r, j, &rule, e) < 0 || read_args(j, &rule, e) < 0 ||
	    applies(j, r->caps, &yes, e) < 0)
		return -1;
	if (yes && rule.names.n > 0)
		*SPEC_PUSH(r->a, &r->out->rules) = rule;
	return 0;
}

static int
add_arch(struct reader *r, const char *s, struct err *e)
{
	const char *arch = known(architectures, COUNTOF(architectures), "architecture", s, e);

	if (arch == NULL)
		return -1;
	if (!spec_list_has(&r->out->architectures, arch))
		spec_list_add(r->a, &r->out->architectures, arch);
	return 0;
}

static int
add_arches(struct reader *r, const json_t *list, struct err *e)
{
	const json_t *j;
	size_t i;

	json_array_foreach (list, i, j)
		if (!json_is_string(j) || i > COUNTOF(architectures) ||
		    add_arch(r, json_string_value(j), e) < 0)
			return err_is_set(e) ? -1
					     : err_set(e, ERR_FORMAT, "bad list of architectures");
	return 0;
}

/* "architectures", or "archMap": those that go with this machine's. */
static int
read_arches(struct reader *r, const json_t *j, struct err *e)
{
	json_t *list = NULL, *map = NULL, *entry, *sub;
	const char *arch;
	size_t i;

	if (json_want_arr(j, "architectures", &list, e) < 0 ||
	    json_want_arr(j, "archMap", &map, e) < 0)
		return -1;
	if (json_array_size(list) > 0 && json_array_size(map) > 0)
		return err_set(e, ERR_FORMAT,
		    "both 'architectures' and 'archMap' are specified in the seccomp profile");
	if (add_arches(r, list, e) < 0)
		return -1;
	json_array_foreach (map, i, entry) {
		sub = NULL;
		if (!json_is_object(entry) || json_need_str(entry, "architecture", &arch, e) < 0 ||
		    json_want_arr(entry, "subArchitectures", &sub, e) < 0)
			return err_wrap(e, "archMap[%zu]", i);
		if (strcmp(arch, seccomp_profile_native()) == 0 &&
		    (add_arch(r, arch, e) < 0 || add_arches(r, sub, e) < 0))
			return -1;
	}
	return 0;
}

static int
read_flags(struct reader *r, const json_t *j, struct err *e)
{
	json_t *list = NULL, *item;
	size_t i;

	if (json_want_arr(j, "flags", &list, e) < 0)
		return -1;
	json_array_foreach (list, i, item) {
		const char *flag = json_is_string(item) ? json_string_value(item) : "";

		flag = known(flags, COUNTOF(flags), "flag", flag, e);
		if (flag == NULL)
			return -1;
		if (!spec_list_has(&r->out->flags, flag))
			spec_list_add(r->a, &r->out->flags, flag);
	}
	return 0;
}

int
seccomp_profile_read(const char *json, size_t n, uint64_t caps, struct arena *a,
    struct seccomp_profile *out, struct err *e)
{
	own_json json_t *j = json_read_max(json, n, BYTES_MAX, DEPTH_MAX, e);
	struct reader r = {.a = a, .caps = caps, .out = out};
	json_t *rules = NULL, *rule;
	size_t i;

	*out = (struct seccomp_profile){0};
	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "the seccomp profile is not an object");
	if (read_action(j, "defaultAction", &out->default_action, e) < 0 ||
	    read_errno(j, "defaultErrnoRet", "defaultErrno", &out->default_errno, e) < 0 ||
	    read_arches(&r, j, e) < 0 || read_flags(&r, j, e) < 0 ||
	    json_want_arr(j, "syscalls", &rules, e) < 0)
		return -1;
	if (json_array_size(rules) > RULES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d rules", RULES_MAX);
	json_array_foreach (rules, i, rule)
		if (read_rule(&r, rule, e) < 0)
			return err_wrap(e, "syscalls[%zu]", i);
	return 0;
}

/* --- Writing -------------------------------------------------------------------------------------*/

static void
write_rule(const struct seccomp_rule *r, struct strbuf *out)
{
	config_json_open(out, NULL, '{');
	config_json_strs(out, "names", r->names.v, r->names.n);
	config_json_str(out, "action", r->action);
	if (r->errno_ret >= 0)
		config_json_int(out, "errnoRet", r->errno_ret);
	if (r->args_n > 0) {
		config_json_open(out, "args", '[');
		for (size_t i = 0; i < r->args_n; i++) {
			config_json_open(out, NULL, '{');
			config_json_uint(out, "index", r->args[i].index);
			config_json_uint(out, "value", r->args[i].value);
			if (r->args[i].value_two != 0)
				config_json_uint(out, "valueTwo", r->args[i].value_two);
			config_json_str(out, "op", r->args[i].op);
			config_json_close(out, '}');
		}
		config_json_close(out, ']');
	}
	config_json_close(out, '}');
}

void
seccomp_profile_write(const struct seccomp_profile *p, struct strbuf *out)
{
	config_json_open(out, NULL, '{');
	config_json_str(out, "defaultAction", p->default_action);
	if (p->default_errno >= 0)
		config_json_int(out, "defaultErrnoRet", p->default_errno);
	if (p->architectures.n > 0)
		config_json_strs(out, "architectures", p->architectures.v, p->architectures.n);
	if (p->flags.n > 0)
		config_json_strs(out, "flags", p->flags.v, p->flags.n);
	config_json_open(out, "syscalls", '[');
	for (size_t i = 0; i < p->rules.n; i++)
		write_rule(&p->rules.v[i], out);
	config_json_close(out, ']');
	config_json_close(out, '}');
}
