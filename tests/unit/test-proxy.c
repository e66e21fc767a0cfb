/* SPDX-License-Identifier: ISC */
// objs: pod-image/fetch/proxy.o
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/base/own.h"
#include "pod-image/fetch/proxy.h"

#define PROXY "http://proxy:3128"

/* Whether url is asked for directly. */
static bool
direct(const char *url, const char *no_proxy)
{
	own_mem char *got = proxy_choose(url, PROXY, no_proxy);

	if (got != NULL)
		cr_assert_str_eq(got, PROXY);
	return got == NULL;
}

Test(proxy, none)
{
	cr_assert_null(proxy_choose("http://a.example/v2/", NULL, NULL));
	cr_assert_null(proxy_choose("http://a.example/v2/", "", NULL));
	cr_assert_not(direct("http://a.example/v2/", NULL));
	cr_assert_not(direct("http://a.example/v2/", ""));
	cr_assert_not(direct("http://a.example/v2/", " , ,,:,."));
}

Test(proxy, loopback)
{
	cr_assert(direct("http://localhost:5000/v2/", NULL));
	cr_assert(direct("https://127.0.0.9/v2/", NULL));
	cr_assert(direct("https://[::1]:5000/v2/", NULL));
	cr_assert(direct("https://user:pw@localhost/v2/", NULL));
	cr_assert_not(direct("https://localhost@a.example/v2/", NULL));
	cr_assert_not(direct("http://localhosts/v2/", NULL));
	cr_assert_not(direct("http://127.0.0.1.example/v2/", NULL));
	cr_assert_not(direct("http://[::2]/v2/", NULL));
}

Test(proxy, names)
{
	const char *url = "http://Reg.Example:5000/v2/";

	cr_assert(direct(url, "*"));
	cr_assert(direct(url, "x, rEG.example ,y"));
	cr_assert(direct(url, "example"));
	cr_assert(direct(url, ".example"));
	cr_assert(direct(url, "*.example"));
	cr_assert(direct(url, "reg.example:5000"));
	cr_assert_not(direct(url, "reg.example:5001"));
	cr_assert_not(direct(url, ".reg.example"));
	cr_assert_not(direct(url, "*.reg.example"));
	cr_assert_not(direct(url, "x.reg.example"));
	cr_assert_not(direct(url, "eg.example"));
	cr_assert_not(direct(url, "reg"));
	/* Only a whole part of a name is left out by a star. */
	cr_assert_not(direct(url, "*-example"));
	cr_assert_not(direct(url, "*:5000"));
	cr_assert(direct("https://reg.example/", "reg.example:443"));
	cr_assert(direct("http://reg.example?x", "reg.example:80"));
	cr_assert_not(direct("https://reg.example/", "reg.example:80"));
}

Test(proxy, addresses)
{
	cr_assert(direct("http://10.1.2.3:5000/", "10.1.2.3"));
	cr_assert(direct("http://10.1.2.3:5000/", "10.1.2.3:5000"));
	cr_assert_not(direct("http://10.1.2.3:5000/", "10.1.2.3:5001"));
	cr_assert(direct("http://10.1.2.3:5000/", "10.0.0.0/8"));
	cr_assert(direct("http://10.1.2.3:5000/", "10.1.2.0/25"));
	cr_assert_not(direct("http://10.1.2.200:5000/", "10.1.2.0/25"));
	cr_assert(direct("http://10.1.2.3/", "0.0.0.0/0"));
	cr_assert_not(direct("http://a.example/", "0.0.0.0/0"));
	cr_assert_not(direct("http://10.1.2.3/", "10.0.0.0/33"));
	cr_assert(direct("http://[fd00::1]:5000/", "fd00::1"));
	cr_assert(direct("http://[fd00::1]:5000/", "[fd00::1]:5000"));
	cr_assert(direct("http://[fd00::1]:5000/", "fd00::/16"));
	cr_assert_not(direct("http://[fd00::1]:5000/", "fd01::/16"));
}

Test(proxy, socks)
{
	own_mem char *got = proxy_choose("http://a.example/", "socks5://u:p@proxy:1080", NULL);

	cr_assert_str_eq(got, "socks5h://u:p@proxy:1080");
}
