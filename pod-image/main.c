/* SPDX-License-Identifier: ISC */
/*
 * pod-image: references, registries, image archives.  With the caller's power it reads configuration
 * and hands credentials to workers; then it gives all power up and parses what they bring.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/role.h"
#include "common/role/spawn.h"
#include "pod-image/command.h"
#include "pod-image/serve.h"

/* A user's stores, ours and other engines', belong to the user's namespace. */
static bool
needs_userns(char **argv)
{
	static const char *const commands[] = {"load", "pull", "save"};

	for (; *argv != NULL; argv++) {
		if (text_has_prefix(*argv, "containers-storage:"))
			return true;
		for (size_t i = 0; i < COUNTOF(commands); i++)
			if (strcmp(*argv, commands[i]) == 0)
				return true;
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct err e = {0};

	role_start();
	/* Freed memory is overwritten, so that no credential stays behind when foreign bytes come. */
	mallopt(M_PERTURB, 0x5a);
	if (argc != 2 || strcmp(argv[1], "--peer") != 0) {
		if (!needs_userns(argv) || spawn_in_userns(argv, &e) == 0)
			return command_main(argc, argv);
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	if (serve(&e) == 0)
		return 0;
	log_error("pod-image: %s", e.text);
	return err_exit_status(&e);
}
