/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"

Test(log, writes_what_the_level_allows)
{
	own_fd int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char text[4096];
	ssize_t n;

	cr_assert_geq(fd, 0);
	setenv("TZ", "UTC", 1);
	log_set_fd(fd);
	errno = ENOENT;
	log_info("not %d", 1);
	log_warn("said \"%s\"\nover", "\x1b[0m");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("now");
	log_trace("never");
	cr_expect_eq(errno, ENOENT);
	n = pread(fd, text, sizeof(text) - 1, 0);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	cr_expect(strncmp(text, "time=\"20", 8) == 0);
	cr_expect_str_eq(strstr(text, "Z\" level=warning"),
	    strstr(text, "Z\" level=")); /* the first line is the warning */
	cr_expect(strstr(text, " msg=\"said \\\"\\x1b[0m\\\"\\nover\"\ntime=") != NULL, "%s", text);
	cr_expect(strstr(text, "level=debug msg=\"now\"\n") != NULL);
	cr_expect(strstr(text, "not 1") == NULL && strstr(text, "never") == NULL);
}

Test(log, levels)
{
	enum log_level level;
	struct err e = {0};

	cr_expect(log_level_parse("warn", &level, &e) == 0 && level == LOG_LEVEL_WARN);
	cr_expect(log_level_parse("WARNING", &level, &e) == 0 && level == LOG_LEVEL_WARN);
	cr_expect(log_level_parse("trace", &level, &e) == 0 && level == LOG_LEVEL_TRACE);
	cr_expect_eq(log_level_parse("loud", &level, &e), -1);
	cr_expect_str_eq(e.text,
	    "Log Level \"loud\" is not supported, choose from: trace, debug, info, "
	    "warn, warning, error, fatal, panic");
}
