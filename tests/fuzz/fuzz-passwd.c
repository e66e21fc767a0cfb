/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/passwd.o
/* A request, a passwd file and a group file, parted by NUL. */
#include <stdlib.h>
#include <string.h>

#include "pod-store/layer/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *first = memchr(data, 0, n), *second;
	struct passwd_files f = {0};
	struct passwd_user u = {0};
	struct strv more = {0};
	struct arena a = {0};
	struct err e = {0};

	if (n == 0 || first == NULL)
		return 0;
	second = memchr(first + 1, 0, (size_t)(data + n - first - 1));
	f.passwd = (const char *)first + 1;
	f.passwd_n = (size_t)((second != NULL ? second : data + n) - first - 1);
	if (second != NULL) {
		f.group = (const char *)second + 1;
		f.group_n = (size_t)(data + n - second - 1);
	}
	strv_add(&more, "wheel");
	if (passwd_lookup(&f, (const char *)data, &more, &u, &a, &e) == 0) {
		if (u.uid > PASSWD_ID_MAX || u.gid > PASSWD_ID_MAX || u.ngroups > PASSWD_GROUPS_MAX)
			abort();
	} else if (!err_is_set(&e)) {
		abort();
	}
	passwd_free(&u);
	strv_free(&more);
	arena_free(&a);
	return 0;
}
