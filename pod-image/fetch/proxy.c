/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/fetch/proxy.h"

struct target {
	char *host; /* without brackets; the rest of the copy stands behind it */
	const char *port;
	bool is_address;
	struct in6_addr address; /* of IPv4 as ::ffff:0:0/96 */
};

static bool
read_address(const char *s, struct in6_addr *out)
{
	struct in_addr four;

	if (inet_pton(AF_INET6, s, out) == 1)
		return true;
	if (inet_pton(AF_INET, s, &four) != 1)
		return false;
	memset(out, 0, sizeof(*out));
	memset(out->s6_addr + 10, 0xff, 2);
	memcpy(out->s6_addr + 12, &four, sizeof(four));
	return true;
}

/* "host", "host:port" or "[host]:port" in two; s is changed.  An address of IPv6 may stand without brackets. */
static void
split_port(char *s, char **host, const char **port)
{
	char *end;

	*host = s;
	*port = "";
	if (*s == '[' && (end = strchr(s, ']')) != NULL) {
		*host = s + 1;
		*end++ = '\0';
		if (*end == ':')
			*port = end + 1;
	} else if ((end = strchr(s, ':')) != NULL && strchr(end + 1, ':') == NULL) {
		*end = '\0';
		*port = end + 1;
	}
}

/* What url asks for; authority is where its words are kept. */
static void
read_target(const char *url, char **authority, struct target *t)
{
	const char *at, *s = strstr(url, "://");
	size_t n;

	s = s != NULL ? s + 3 : url;
	n = strcspn(s, "/?#");
	if ((at = memrchr(s, '@', n)) != NULL) {
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	*authority = xstrndup(s, n);
	split_port(*authority, &t->host, &t->port);
	if (*t->port == '\0')
		t->port = text_has_prefix(url, "https:") ? "443" : "80";
	t->is_address = read_address(t->host, &t->address);
}

static bool
is_loopback(const struct target *t)
{
	static const struct in6_addr one = IN6ADDR_LOOPBACK_INIT;

	if (!t->is_address)
		return strcmp(t->host, "localhost") == 0;
	return memcmp(&t->address, &one, sizeof(one)) == 0 ||
	       (IN6_IS_ADDR_V4MAPPED(&t->address) && t->address.s6_addr[12] == IN_LOOPBACKNET);
}

static bool
same_bits(const struct in6_addr *a, const struct in6_addr *b, uint64_t bits)
{
	size_t whole = bits / 8;
	uint8_t rest = (uint8_t)(0xff00 >> (bits % 8));

	return memcmp(a, b, whole) == 0 &&
	       (bits % 8 == 0 || ((a->s6_addr[whole] ^ b->s6_addr[whole]) & rest) == 0);
}

/* 1: t is in the block; 0: it is not; -1: this is none. */
static int
in_block(const char *word, const struct target *t)
{
	const char *slash = strchr(word, '/');
	own_mem char *base = NULL;
	struct in6_addr address;
	uint64_t bits;
	bool six;

	if (slash == NULL)
		return -1;
	base = xstrndup(word, (size_t)(slash - word));
	six = strchr(base, ':') != NULL;
	if (!read_address(base, &address) || text_to_u64(slash + 1, six ? 128 : 32, &bits) < 0)
		return -1;
	return t->is_address && same_bits(&address, &t->address, six ? bits : bits + 96);
}

static bool
name_matches(const char *name, const char *host)
{
	bool star = text_has_prefix(name, "*."), below = star || *name == '.';
	size_t n, length = strlen(host);

	name += star + below;
	n = strlen(name);
	if (n == 0 || length < n || strcasecmp(host + length - n, name) != 0)
		return false;
	return length == n ? !below : host[length - n - 1] == '.';
}

static bool
word_matches(char *word, const struct target *t)
{
	struct in6_addr address;
	const char *port;
	char *name;
	int block;

	if (strcmp(word, "*") == 0)
		return true;
	if ((block = in_block(word, t)) >= 0)
		return block == 1;
	split_port(word, &name, &port);
	if (*port != '\0' && strcmp(port, t->port) != 0)
		return false;
	if (read_address(name, &address))
		return t->is_address && memcmp(&address, &t->address, sizeof(address)) == 0;
	return name_matches(name, t->host);
}

static bool
is_direct(const struct target *t, const char *no_proxy)
{
	own_mem char *list = xstrdup(no_proxy != NULL ? no_proxy : "");
	char *word, *at = NULL;

	if (is_loopback(t))
		return true;
	for (word = strtok_r(list, ",", &at); word != NULL; word = strtok_r(NULL, ",", &at)) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = '\0';
		if (word_matches(word, t))
			return true;
	}
	return false;
}

char *
proxy_choose(const char *url, const char *proxy, const char *no_proxy)
{
	own_mem char *authority = NULL;
	struct target t;

	if (proxy == NULL || *proxy == '\0')
		return NULL;
	read_target(url, &authority, &t);
	if (is_direct(&t, no_proxy))
		return NULL;
	/* The proxy looks names up, also one that speaks SOCKS. */
	if (text_has_prefix(proxy, "socks5://"))
		return xasprintf("socks5h://%s", proxy + strlen("socks5://"));
	return xstrdup(proxy);
}

static const char *
either(const char *large, const char *small)
{
	const char *value = getenv(large);

	return value != NULL && *value != '\0' ? value : getenv(small);
}

char *
proxy_for_url(const char *url)
{
	return proxy_choose(url,
	    text_has_prefix(url, "https:") ? either("HTTPS_PROXY", "https_proxy")
					   : either("HTTP_PROXY", "http_proxy"),
	    either("NO_PROXY", "no_proxy"));
}
