/* SPDX-License-Identifier: ISC */
/*
 * pod-store: images, layers, root file systems of containers and volumes.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/role/role.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-store/command.h"
#include "pod-store/server.h"

/*
 * The end of the connection ends us, nothing else: a key pressed at the terminal is meant for the
 * coordinator, which may still need the store for its cleanup.
 */
static void
ignore_terminal(void)
{
	static const int signals[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM};

	for (size_t i = 0; i < COUNTOF(signals); i++)
		signal(signals[i], SIG_IGN);
}

static int
serve(struct err *e)
{
	const int keep[] = {PEER_FD};

	ignore_terminal();
	if (role_enter(ROLE_STORE, keep, COUNTOF(keep), e) == -1)
		return -1;
	return server_run(PEER_FD, e);
}

int
main(int argc, char **argv)
{
	struct err e = {0};

	mem_short_life();
	role_start();
	if (argc != 2 || strcmp(argv[1], "--peer") != 0) {
		if (spawn_in_userns(argv, &e) == 0)
			return command_main(argc, argv);
	} else if (serve(&e) == 0) {
		return 0;
	}
	err_print(&e, stderr);
	return err_exit_status(&e);
}
