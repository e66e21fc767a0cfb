/* SPDX-License-Identifier: ISC */
/* What another manager tells netavark, and lists of CNI plug-ins. */
// objs: pod-net/netavark_json.o pod-net/network.o pod-net/addr.o pod-net/conflist.o
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-net/conflist.h"
#include "pod-net/netavark_json.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
list(const uint8_t *data, size_t n)
{
	own_strv struct strv dirs = {0};
	struct network_default d = {0};
	struct network_list out = {0};
	struct err e = {0};

	if (conflist_list(input_dir(data, n, "n.conflist"), &dirs, &d, &out, &e) == -1 &&
	    !err_is_set(&e))
		abort();
	network_list_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct netavark_input in = {0};
	struct err e = {0};

	if (n == 0)
		return 0;
	if ((data[0] & 1) != 0) {
		list(data + 1, n - 1);
		return 0;
	}
	if ((netavark_json_read((const char *)data + 1, n - 1, &in, &e) != 0) != err_is_set(&e))
		abort();
	netavark_json_free(&in);
	return 0;
}
