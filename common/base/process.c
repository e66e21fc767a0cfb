/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/process.h"
#include "common/base/text.h"

#define STATE 0	      /* fields counted from the one after the program's name */
#define START_TIME 19 /* field 22 of proc(5) */

/* The name in parentheses may hold anything, so fields are counted from the last ')'. */
int
process_look(pid_t pid, char *state, uint64_t *start)
{
	char path[64], text[1024], *p, *save = NULL;
	own_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (p == NULL)
		return -1;
	p = strtok_r(p + 1, " ", &save);
	for (int i = STATE; p != NULL; i++, p = strtok_r(NULL, " ", &save)) {
		if (i == STATE)
			*state = *p;
		else if (i == START_TIME)
			return text_to_u64(p, UINT64_MAX, start);
	}
	return -1;
}

uint64_t
process_start(pid_t pid)
{
	uint64_t start;
	char state;

	return pid > 0 && process_look(pid, &state, &start) == 0 ? start : 0;
}
