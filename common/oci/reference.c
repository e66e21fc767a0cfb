/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/oci/reference.h"

#define TEXT_MAX 2048 /* of a whole reference */
#define PATH_MAX_ 255 /* of the repository, as the distribution project bounds it */
#define TAG_MAX 128
#define DOMAIN_MAX 261 /* 253 for a name, and a port */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool
is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

bool
reference_digest_valid(const char *s)
{
	static const char prefix[] = "sha256:";

	return s != NULL && strncmp(s, prefix, sizeof(prefix) - 1) == 0 &&
	       text_is_hex(s + sizeof(prefix) - 1, 64);
}

bool
reference_tag_valid(const char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;

	if (n == 0 || n > TAG_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) && strchr("_.-", s[i]) == NULL)
			return false;
	}
	return true;
}

static bool
port_valid(const char *s)
{
	uint64_t port;

	return strlen(s) <= 5 && text_to_u64(s, 65535, &port) == 0 && port > 0;
}

/* host-component *("." host-component), each beginning and ending with a letter or digit. */
static bool
host_valid(const char *s, size_t n)
{
	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i == n - 1 || s[i - 1] == '.' || s[i + 1] == '.';

		if (is_alnum(s[i]) || (!edge && s[i] == '-'))
			continue;
		if (s[i] != '.' || i == 0 || i == n - 1 || s[i - 1] == '.')
			return false;
	}
	return true;
}

static bool
ipv6_valid(const char *s, size_t n)
{
	size_t colons = 0;

	if (n < 2 || n > 45)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == ':')
			colons++;
		else if (!is_digit(s[i]) && s[i] != '.' && strchr("abcdefABCDEF", s[i]) == NULL)
			return false;
	}
	return colons >= 2;
}

bool
reference_domain_valid(const char *s)
{
	const char *end, *port;

	if (s == NULL || strlen(s) > DOMAIN_MAX)
		return false;
	if (s[0] == '[') {
		end = strchr(s, ']');
		if (end == NULL || !ipv6_valid(s + 1, (size_t)(end - s - 1)))
			return false;
		port = end + 1;
	} else {
		port = s + strcspn(s, ":");
		if (!host_valid(s, (size_t)(port - s)))
			return false;
	}
	return *port == '\0' || (*port == ':' && port_valid(port + 1));
}

/* Length of the separator at s ("_", ".", "__", or any number of "-"), 0 if there is none. */
static size_t
separator_len(const char *s)
{
	if (s[0] == '.' || s[0] == '_')
		return s[0] == '_' && s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* path-component *("/" path-component); component = alnum *(separator alnum). */
static bool
path_valid(const char *s)
{
	if (*s == '\0' || strlen(s) > PATH_MAX_)
		return false;
	while (*s != '\0') {
		size_t n = 0;

		while (is_lower_alnum(s[n]))
			n++;
		if (n == 0)
			return false;
		s += n;
		if (*s == '\0')
			return true;
		n = *s == '/' ? 1 : separator_len(s);
		if (n == 0)
			return false;
		s += n;
	}
	return false; /* it ended with a separator */
}

bool
reference_prefix_valid(const char *s)
{
	size_t n = strcspn(s, "/");
	own_mem char *domain = xstrndup(s, n);

	return reference_domain_valid(domain) && (s[n] == '\0' || path_valid(s + n + 1));
}

void
reference_free(struct reference *r)
{
	free(r->domain);
	free(r->path);
	free(r->tag);
	free(r->digest);
	memset(r, 0, sizeof(*r));
}

static int
invalid(struct err *e, const char *text, const char *why)
{
	char shown[300];

	text_escape(text, shown, sizeof(shown));
	return err_set(
	    e, ERR_INVALID, "parsing reference \"%s\": invalid reference format%s", shown, why);
}

/* Takes "[:tag][@digest]" off the end of s, which is cut. */
static int
take_suffixes(char *s, struct reference *r, const char *text, struct err *e)
{
	char *at = strchr(s, '@'), *colon, *slash;

	if (at != NULL) {
		*at = '\0';
		if (!reference_digest_valid(at + 1))
			return invalid(e, text, ": a digest is sha256: and 64 hexadecimal digits");
		r->digest = xstrdup(at + 1);
	}
	slash = strrchr(s, '/');
	colon = strchr(slash != NULL ? slash : s, ':');
	if (colon != NULL) {
		*colon = '\0';
		if (!reference_tag_valid(colon + 1))
			return invalid(e, text, "");
		r->tag = xstrdup(colon + 1);
	}
	return 0;
}

/* Sorts the name s into domain and path; index.docker.io is an old name of docker.io. */
static void
split_domain(const char *s, struct reference *r)
{
	size_t n = strcspn(s, "/");
	own_mem char *first = xstrndup(s, n);

	if (s[n] != '/' || (strpbrk(first, ".:") == NULL && strcmp(first, "localhost") != 0)) {
		r->path = xstrdup(s);
		return;
	}
	if (strcmp(first, "index.docker.io") == 0)
		r->domain = xstrdup("docker.io");
	else
		r->domain = ptr_take(&first);
	r->path = xstrdup(s + n + 1);
}

/* docker.io keeps its unnamed repositories below library/. */
static void
add_library(struct reference *r)
{
	char *path;

	if (r->domain == NULL || strcmp(r->domain, "docker.io") != 0 || strchr(r->path, '/'))
		return;
	path = xasprintf("library/%s", r->path);
	free(r->path);
	r->path = path;
}

static int
check_name(const struct reference *r, const char *text, struct err *e)
{
	if (r->domain != NULL && !reference_domain_valid(r->domain))
		return invalid(e, text, "");
	if (strpbrk(r->path, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		return invalid(e, text, ": repository name must be lowercase");
	if (!path_valid(r->path))
		return invalid(e, text, "");
	if (r->domain == NULL && text_is_hex(r->path, 64))
		return invalid(e, text, ": 64 hexadecimal digits cannot be a repository name");
	return 0;
}

int
reference_parse(const char *text, struct reference *out, struct err *e)
{
	own_reference struct reference r = {0};
	own_mem char *s = NULL;

	if (strlen(text) > TEXT_MAX)
		return invalid(e, text, ": it is too long");
	if (reference_refuse_transport(text, e) < 0)
		return -1;
	s = xstrdup(text);
	if (take_suffixes(s, &r, text, e) < 0)
		return -1;
	split_domain(s, &r);
	add_library(&r);
	if (check_name(&r, text, e) < 0)
		return -1;
	*out = r;
	memset(&r, 0, sizeof(r));
	return 0;
}

int
reference_qualify(
    const struct reference *name, const char *registry, struct reference *out, struct err *e)
{
	own_mem char *repository = reference_repository(name);
	own_mem char *text = xasprintf("%s/%s%s%s%s%s", registry, repository,
	    name->tag != NULL ? ":" : "", name->tag != NULL ? name->tag : "",
	    name->digest != NULL ? "@" : "", name->digest != NULL ? name->digest : "");
	own_reference struct reference r = {0};

	if (reference_parse(text, &r, e) < 0)
		return -1;
	if (r.domain == NULL)
		return invalid(e, text, ": that is no registry");
	*out = r;
	memset(&r, 0, sizeof(r));
	return 0;
}

int
reference_parse_normal(const char *text, struct reference *out, struct err *e)
{
	own_reference struct reference r = {0};

	if (reference_parse(text, &r, e) < 0)
		return -1;
	if (r.domain == NULL)
		return reference_qualify(&r, "docker.io", out, e);
	*out = r;
	memset(&r, 0, sizeof(r));
	return 0;
}

void
reference_complete(struct reference *r)
{
	if (r->digest != NULL) {
		free(r->tag);
		r->tag = NULL;
	} else if (r->tag == NULL) {
		r->tag = xstrdup("latest");
	}
}

char *
reference_repository(const struct reference *r)
{
	return r->domain != NULL ? xasprintf("%s/%s", r->domain, r->path) : xstrdup(r->path);
}

char *
reference_string(const struct reference *r)
{
	own_mem char *name = reference_repository(r);

	return xasprintf("%s%s%s%s%s", name, r->tag != NULL ? ":" : "",
	    r->tag != NULL ? r->tag : "", r->digest != NULL ? "@" : "",
	    r->digest != NULL ? r->digest : "");
}

static void
add_complete(struct reference *r, struct strv *out)
{
	char *text;

	reference_complete(r);
	text = reference_string(r);
	if (strv_find(out, text) < out->n)
		free(text);
	else
		strv_take(out, text);
}

int
reference_candidates(
    const char *text, const char *const *registries, size_t n, struct strv *out, struct err *e)
{
	own_reference struct reference r = {0};

	if (reference_parse(text, &r, e) < 0)
		return -1;
	if (r.domain != NULL) {
		add_complete(&r, out);
		return 0;
	}
	for (size_t i = 0; i <= n; i++) {
		own_reference struct reference full = {0};

		if (reference_qualify(&r, i == 0 ? "localhost" : registries[i - 1], &full, e) < 0)
			return -1;
		add_complete(&full, out);
	}
	return 0;
}

const char *
reference_transport(const char *text, const char **rest)
{
	static const struct {
		const char *name, *prefix;
	} transports[] = {
	    {"docker", "docker://"},
	    {"oci", "oci:"},
	    {"oci-archive", "oci-archive:"},
	    {"dir", "dir:"},
	    {"docker-archive", "docker-archive:"},
	    {"docker-daemon", "docker-daemon:"},
	    {"containers-storage", "containers-storage:"},
	    {"tarball", "tarball:"},
	};

	for (size_t i = 0; i < COUNTOF(transports); i++) {
		if (text_has_prefix(text, transports[i].prefix)) {
			*rest = text + strlen(transports[i].prefix);
			return transports[i].name;
		}
	}
	return NULL;
}

int
reference_no_transport(const char *what, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL || memchr(text, '/', (size_t)(colon - text)) != NULL)
		return err_set(
		    e, ERR_USAGE, "Invalid %s name %.300s: it has no transport", what, text);
	return err_set(e, ERR_USAGE, "Invalid %s name %.300s: unknown transport \"%.*s\"", what,
	    text, (int)(colon - text), text);
}

int
reference_refuse_transport(const char *text, struct err *e)
{
	static const char *const known[] = {"sif", "ostree", "atomic"};

	for (size_t i = 0; i < COUNTOF(known); i++) {
		size_t n = strlen(known[i]);

		/* "sif:1" is an image and its tag, in which no slash can be. */
		if (strncmp(text, known[i], n) == 0 && text[n] == ':' &&
		    (text[n + 1] == '.' || strchr(text + n + 1, '/') != NULL))
			return err_set(
			    e, ERR_UNSUPPORTED, "the transport %s: is not supported", known[i]);
	}
	return 0;
}
