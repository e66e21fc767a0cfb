/* SPDX-License-Identifier: ISC */
// objs: pod-monitor/stdio/ctl.o pod-monitor/ocierr.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-monitor/ocierr.h"
#include "pod-monitor/stdio/ctl.h"

/* "KIND ROWS COLUMNS;" of each request in the text, fed in pieces of k bytes. */
static const char *
requests(const char *text, size_t k)
{
	static char out[512];
	struct ctl c = {0};
	struct ctl_request r;

	out[0] = '\0';
	for (const char *s = text; *s != '\0';) {
		size_t n = strnlen(s, k);
		const char *p = s, *next = s + n;

		while (ctl_feed(&c, &p, &n, &r))
			snprintf(out + strlen(out), sizeof(out) - strlen(out), "%d %u %u;", r.kind,
			    r.rows, r.columns);
		s = next;
	}
	return out;
}

Test(ctl, requests)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"1 24 80\n", "1 24 80;"},
	    {"1 24 80\n2 0 0\n", "1 24 80;2 0 0;"},
	    {"1 007 1000 more words\n", "1 7 1000;"},
	    {"1 24 1001\n", ""},
	    {"1 24\n", ""},
	    {"3 1 1\n", ""},
	    {"0 1 1\n", ""},
	    {"1 0x10 1\n", ""},
	    {"1 -1 1\n", ""},
	    {"\n\n1 1 1\n", "1 1 1;"},
	    {"1 1 99999999999999999999\n1 2 3\n", "1 2 3;"},
	    {"1 24 80", ""},
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		for (size_t k = 1; k < 40; k += 7)
			cr_expect_str_eq(requests(rows[i].in, k), rows[i].out, "%s", rows[i].in);
}

Test(ctl, a_long_line_is_dropped_and_no_more)
{
	char text[1200];

	memset(text, '1', 1000);
	memcpy(text + 1000, "\n1 5 6\n", sizeof("\n1 5 6\n"));
	cr_expect_str_eq(requests(text, 64), "1 5 6;");
	/* One that would be a request if it were cut. */
	memcpy(text, "1 2 3 ", 6);
	cr_expect_str_eq(requests(text, 64), "1 5 6;");
}

static void
found(const char *log, const char *wanted)
{
	char out[256];

	if (wanted == NULL) {
		cr_expect_eq(ocierr_find(log, strlen(log), out, sizeof(out)), -1, "%s", log);
		return;
	}
	cr_assert_eq(ocierr_find(log, strlen(log), out, sizeof(out)), 0, "%s", log);
	cr_expect_str_eq(out, wanted);
}

Test(ocierr, last_error_of_the_log)
{
	found("{\"msg\":\"a\",\"level\":\"error\",\"time\":\"t\"}\n", "a");
	found("{\"level\":\"error\",\"msg\":\"a \\\"b\\\" \\n\\u00e9\"}", "a \"b\" \n\xc3\xa9");
	found("{\"level\":\"warning\",\"msg\":\"a\"}\n", NULL);
	found("{\"level\":\"error\",\"msg\":\"a\"}\n{\"level\":\"info\",\"msg\":\"b\"}\n", "a");
	found("{\"level\":\"error\",\"msg\":\"a\"}\n{\"level\":\"error\",\"msg\":\"b\"}\n", "b");
	found("{\"level\" : \"fatal\", \"msg\" : \"a\"}", "a");
	found("{\"level\":\"error\",\"msg\":\"a\"}\n{\"level\":\"error\",\"msg\":\"\"}\n", "a");
	found("{\"level\":\"error\",\"msg\":\"\"}\n", NULL);
	found("", NULL);
	found("msg level error\n", NULL);
	found("{\"level\":\"error\",\"msg\":\"cut", NULL);
	found("{\"level\":\"error\",\"x\":\"\\\"msg\\\":\\\"no\\\"\",\"msg\":\"yes\"}", "yes");
}

Test(ocierr, class_and_text)
{
	static const struct {
		const char *message;
		enum err_class class;
		const char *text;
	} rows[] = {
	    {"executable file `nosuch` not found in $PATH: No such file or directory",
		ERR_NOCOMMAND,
		"crun: executable file `nosuch` not found in $PATH: No such file or directory: OCI "
		"runtime attempted to invoke a command that was not found"},
	    {"runc run failed: unable to start container process: exec: \"nosuch\": executable "
	     "file not found in $PATH",
		ERR_NOCOMMAND, NULL},
	    {"exec: \"/bin/nosuch\": stat /bin/nosuch: no such file or directory", ERR_NOCOMMAND,
		NULL},
	    {"open executable: Permission denied\n", ERR_NOTEXEC,
		"crun: open executable: Permission denied: OCI permission denied"},
	    {"open executable: Operation not permitted", ERR_NOTEXEC, NULL},
	    {"exec: \"/etc\": permission denied", ERR_NOTEXEC, NULL},
	    {"mount failed: Invalid argument", ERR_NOTEXEC,
		"OCI runtime error: crun: mount failed: Invalid argument"},
	    {"opening file `io.weight` for writing: No such file or directory", ERR_NOTEXEC,
		"OCI runtime error: crun: the requested cgroup controller `io` is not available or "
		"has no `io.weight`"},
	    {"open io.weight: No such file or directory", ERR_NOTEXEC,
		"OCI runtime error: crun: the requested cgroup controller `io` is not available or "
		"has no `io.weight`"},
	    {"opening file `io.weight` for writing: Permission denied", ERR_NOTEXEC,
		"crun: opening file `io.weight` for writing: Permission denied: OCI permission "
		"denied"},
	    {"executable file `memory.max` not found in $PATH: No such file or directory",
		ERR_NOCOMMAND, NULL},
	    {"open `/io.conf`: No such file or directory", ERR_NOCOMMAND, NULL},
	    {"open ", ERR_NOTEXEC, "OCI runtime error: crun: open "},
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err e = {0};

		cr_expect_eq(ocierr_set(&e, "/usr/bin/crun", rows[i].message), -1);
		cr_expect_eq(e.class, rows[i].class, "%s", rows[i].message);
		if (rows[i].text != NULL)
			cr_expect_str_eq(e.text, rows[i].text);
	}
}
