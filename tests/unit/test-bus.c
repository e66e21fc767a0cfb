/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "common/wire/bus.h"

#define HEAD offsetof(struct sockaddr_un, sun_path)

static void
leads(const char *list, const char *path, size_t n)
{
	struct sockaddr_un to;
	socklen_t got = bus_address(list, &to);

	cr_assert_eq(got, path != NULL ? HEAD + n : 0, "%s: %u", list, (unsigned)got);
	cr_assert(path == NULL || memcmp(to.sun_path, path, n) == 0, "%s", list);
}

Test(bus, address)
{
	char long_path[200];

	leads("unix:path=/run/bus", "/run/bus", 8);
	leads("unix:guid=00ff,path=/run/bus", "/run/bus", 8);
	leads("unix:path=/run/a%20b%2fc", "/run/a b/c", 10);
	leads("unix:abstract=/bus%2C1,guid=1", "\0/bus,1", 7);
	leads("tcp:host=localhost,port=1;unix:path=/x", "/x", 2);
	leads("", NULL, 0);
	leads(";;unix:", NULL, 0);
	leads("unix:path=", NULL, 0);
	leads("unix:path=/a%2", NULL, 0);
	leads("unix:path=/a%zz;unix:path=/b", "/b", 2);
	leads("unix:path=/a%00b", NULL, 0);
	leads("unix:tmpdir=/tmp,guid=1", NULL, 0);
	memset(long_path, 'a', sizeof long_path);
	memcpy(long_path, "unix:path=", 10);
	long_path[sizeof long_path - 1] = '\0';
	leads(long_path, NULL, 0);
}
