/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "pod-store/layer/acl.h"

#define VERSION 2u
#define ENTRIES_MAX 8192u

enum tag { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};

/* Entries stand in the order of their tags; those of named users and groups need a mask. */
static bool
may_follow(unsigned before, unsigned tag)
{
	switch (tag) {
	case USER_OBJ:
		return before == 0;
	case USER:
		return before == USER_OBJ || before == USER;
	case GROUP_OBJ:
		return before == USER_OBJ || before == USER;
	case GROUP:
		return before == GROUP_OBJ || before == GROUP;
	case MASK:
		return before == GROUP_OBJ || before == GROUP;
	case OTHER:
		return before == GROUP_OBJ || before == MASK;
	default:
		return false;
	}
}

bool
acl_is_valid(const void *value, size_t n)
{
	const uint8_t *p = value;
	unsigned before = 0;
	bool named = false, masked = false;
	uint32_t version;

	if (n < sizeof(version) || (n - sizeof(version)) % sizeof(struct entry) != 0 ||
	    n / sizeof(struct entry) > ENTRIES_MAX)
		return false;
	memcpy(&version, p, sizeof(version));
	if (le32toh(version) != VERSION)
		return false;
	for (p += sizeof(version); p < (const uint8_t *)value + n; p += sizeof(struct entry)) {
		struct entry x;

		memcpy(&x, p, sizeof(x));
		if (!may_follow(before, le16toh(x.tag)) || le16toh(x.perm) > 7)
			return false;
		before = le16toh(x.tag);
		if ((before == USER || before == GROUP) && x.id == UINT32_MAX)
			return false;
		named |= before == USER || before == GROUP;
		masked |= before == MASK;
	}
	return before == OTHER && (!named || masked);
}

bool
acl_is_same(const void *a, size_t an, const void *b, size_t bn)
{
	if (an != bn || !acl_is_valid(a, an) || !acl_is_valid(b, bn))
		return false;
	for (size_t at = sizeof(uint32_t); at < an; at += sizeof(struct entry)) {
		struct entry x, y;

		memcpy(&x, (const uint8_t *)a + at, sizeof(x));
		memcpy(&y, (const uint8_t *)b + at, sizeof(y));
		if (x.tag != y.tag || x.perm != y.perm ||
		    ((le16toh(x.tag) == USER || le16toh(x.tag) == GROUP) && x.id != y.id))
			return false;
	}
	return true;
}

bool
acl_is_mode(const void *value, size_t n)
{
	return acl_is_valid(value, n) && n == sizeof(uint32_t) + 3 * sizeof(struct entry);
}
