/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/acl.o
#include <criterion/criterion.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "pod-store/layer/acl.h"

#define NOBODY UINT32_MAX

struct row {
	unsigned tag, perm, id;
};

static size_t
make(char *out, uint32_t version, const struct row *r, size_t n)
{
	version = htole32(version);
	memcpy(out, &version, 4);
	for (size_t i = 0; i < n; i++) {
		const uint16_t two[] = {htole16((uint16_t)r[i].tag), htole16((uint16_t)r[i].perm)};
		const uint32_t id = htole32(r[i].id);

		memcpy(out + 4 + 8 * i, two, 4);
		memcpy(out + 8 + 8 * i, &id, 4);
	}
	return 4 + 8 * n;
}

#define VALID(version, ...)                                                 \
	acl_is_valid(b, make(b, version, (const struct row[]){__VA_ARGS__}, \
			    sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row)))

Test(acl, what_setxattr_takes)
{
	char b[256];

	cr_assert(VALID(2, {1, 6, NOBODY}, {4, 4, NOBODY}, {32, 4, NOBODY}));
	cr_assert(VALID(
	    2, {1, 6, NOBODY}, {2, 6, 1000}, {4, 4, NOBODY}, {16, 6, NOBODY}, {32, 4, NOBODY}));
	cr_assert(VALID(2, {1, 6, NOBODY}, {4, 4, NOBODY}, {8, 7, 5}, {8, 7, 6}, {16, 7, NOBODY},
	    {32, 0, NOBODY}));
}

Test(acl, what_it_refuses)
{
	char b[256];

	cr_assert_not(VALID(1, {1, 6, NOBODY}, {4, 4, NOBODY}, {32, 4, NOBODY}), "version");
	cr_assert_not(VALID(2, {1, 6, NOBODY}, {4, 4, NOBODY}), "no entry for others");
	cr_assert_not(VALID(2, {1, 8, NOBODY}, {4, 4, NOBODY}, {32, 4, NOBODY}), "permission");
	cr_assert_not(VALID(2, {1, 6, NOBODY}, {2, 6, 1000}, {4, 4, NOBODY}, {32, 4, NOBODY}),
	    "a named user needs a mask");
	cr_assert_not(VALID(2, {4, 4, NOBODY}, {1, 6, NOBODY}, {32, 4, NOBODY}), "order");
	cr_assert_not(VALID(2, {1, 6, NOBODY}, {2, 6, NOBODY}, {4, 4, NOBODY}, {16, 7, NOBODY},
			  {32, 4, NOBODY}),
	    "nobody's name");
	cr_assert_not(acl_is_valid("\2\0\0", 3), "too short");
	cr_assert_not(acl_is_valid("\2\0\0\0\1", 5), "half an entry");
}
