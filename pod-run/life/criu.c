/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/varint.h"
#include "common/fs/file.h"
#include "common/role/program.h"
#include "pod-run/life/criu.h"

#define VERSION_MIN 31100 /* 3.11 */
#define STATS_MAX 4096

extern char **environ;

/* --- What there is ------------------------------------------------------------------------------*/

static int
run(const char *program, const char *const *words, size_t n, struct program_result *out,
    struct err *e)
{
	own_strv struct strv env = {0}, args = {0};
	const struct program_run r = {
	    .path = program, .arguments = &args, .environment = &env, .input = ""};

	for (char **v = environ; *v != NULL; v++)
		strv_add(&env, *v);
	strv_add_all(&args, words, n);
	return program_run(&r, out, e);
}

/* 31701 for 3.17.1. */
static int
version(int *out, struct err *e)
{
	static const char *const words[] = {"--version"};
	own(program_free) struct program_result r = {0};
	unsigned major = 0, minor = 0, patch = 0;
	const char *at;

	if (run("criu", words, COUNTOF(words), &r, e) == -1)
		return err_wrap(e, "failed to check for criu version");
	at = r.out.s != NULL ? strstr(r.out.s, "Version: ") : NULL;
	if (at == NULL || sscanf(at, "Version: %4u.%4u.%4u", &major, &minor, &patch) < 2)
		return err_set(e, ERR_UNSUPPORTED,
		    "failed to check for criu version: criu --version tells none");
	*out = (int)(major * 10000 + minor * 100 + patch);
	return 0;
}

int
criu_check(const struct runtime *r, struct err *e)
{
	static const char *const words[] = {"checkpoint", "--help"};
	own(program_free) struct program_result result = {0};
	int have = 0;

	if (run(r->path, words, COUNTOF(words), &result, e) == -1)
		return -1;
	if (result.status != 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "configured runtime does not support checkpoint/restore: %s", r->path);
	if (version(&have, e) == -1)
		return -1;
	if (have < VERSION_MIN)
		return err_set(e, ERR_UNSUPPORTED,
		    "checkpoint/restore requires at least CRIU %d: criu is %d", VERSION_MIN, have);
	return 0;
}

/* --- Figures: two magic numbers, a length, one message of protocol buffers ------------------------*/

static const char *const dump_keys[] = {[1] = "freezing_time",
    [2] = "frozen_time",
    [3] = "memdump_time",
    [4] = "memwrite_time",
    [5] = "pages_scanned",
    [7] = "pages_written"};
static const char *const restore_keys[] = {
    [3] = "forking_time", [4] = "restore_time", [5] = "pages_restored"};

static void
put_figures(const uint8_t *p, const uint8_t *end, const char *const *keys, size_t keys_n, json_t *o)
{
	uint64_t tag, value;

	while (varint_take(&p, end, &tag) && (tag & 7) == 0 && varint_take(&p, end, &value))
		if (tag >> 3 < keys_n && keys[tag >> 3] != NULL && value <= INT64_MAX)
			json_put_int(o, keys[tag >> 3], (json_int_t)value);
}

json_t *
criu_stats_parse(const uint8_t *p, size_t n)
{
	const uint8_t *at = p + 12, *end = p + n;
	json_t *o = json_obj();
	uint64_t tag, size;

	if (n < 12 || !varint_take(&at, end, &tag) || !varint_take(&at, end, &size) ||
	    (tag & 7) != 2 || size > (uint64_t)(end - at))
		return o;
	if (tag >> 3 == 1)
		put_figures(at, at + size, dump_keys, COUNTOF(dump_keys), o);
	else if (tag >> 3 == 2)
		put_figures(at, at + size, restore_keys, COUNTOF(restore_keys), o);
	return o;
}

json_t *
criu_stats(int dir, const char *name)
{
	own_mem char *text = NULL;
	struct err ignored = {0};
	size_t n;

	if (file_read(dir, name, STATS_MAX, &text, &n, &ignored) == -1)
		return json_obj();
	return criu_stats_parse((const uint8_t *)text, n);
}
