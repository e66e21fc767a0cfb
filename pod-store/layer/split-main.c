/* SPDX-License-Identifier: ISC */
/*
 * pod-store-split: writes the tar stream of a layer of containers/storage to standard output, of the one directory it
 * is given (descriptor 4) and its tar-split (descriptor 5).  The result goes to descriptor 7.
 */
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/oci/tarsplit.h"
#include "common/role/role.h"
#include "pod-store/layer/result.h"

#define SPLIT_FD 5
#define RESULT_FD 7

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	static const int keep[] = {ROLE_VIEW_FD_NUMBER, SPLIT_FD, RESULT_FD};
	own_fd int root = -1;

	(void)argc;
	(void)argv;
	(void)out;
	/* jansson reads its random seed from a file: so it does that now. */
	json_object_seed(0);
	if (role_enter(ROLE_SPLIT, keep, COUNTOF(keep), e) == -1)
		return -1;
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_sys(e, "opening the directory of a layer");
	return split_tar(SPLIT_FD, root, STDOUT_FILENO, e);
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, RESULT_FD);
}
