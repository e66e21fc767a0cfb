/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "common/base/own.h"
#include "pod-store/layer/tarhdr.h"
#include "pod-store/layer/tarout.h"

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits. */
static void
pax_record(struct strbuf *b, const char *prefix, const char *key, const char *value, size_t n)
{
	size_t rest = strlen(prefix) + strlen(key) + n + 3, len = rest, digits;

	do {
		char text[24];

		digits = (size_t)snprintf(text, sizeof(text), "%zu", len);
		if (len == rest + digits)
			break;
		len = rest + digits;
	} while (1);
	strbuf_addf(b, "%zu %s%s=", len, prefix, key);
	strbuf_addn(b, value, n);
	strbuf_addc(b, '\n');
}

static void
pax_text(struct strbuf *b, const char *key, const char *value)
{
	pax_record(b, "", key, value, strlen(value));
}

static void
pax_number(struct strbuf *b, const char *key, long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	pax_text(b, key, text);
}

/* Splits name between prefix and name where ustar can hold it. */
static bool
put_name(struct tarhdr *h, const char *name)
{
	size_t n = strlen(name);

	if (n <= sizeof(h->name)) {
		memcpy(h->name, name, n);
		return true;
	}
	for (size_t i = n > sizeof(h->name) ? n - sizeof(h->name) - 1 : 0;
	     i <= sizeof(h->prefix) && i < n - 1; i++) {
		if (name[i] != '/' || i == 0)
			continue;
		memcpy(h->prefix, name, i);
		memcpy(h->name, name + i + 1, n - i - 1);
		return true;
	}
	memcpy(h->name, name, sizeof(h->name));
	return false;
}

static void
put_number(char *field, size_t n, uint64_t value, struct strbuf *pax, const char *key)
{
	if (value >> ((n - 1) * 3) != 0)
		pax_number(pax, key, (long long)value);
	tarhdr_put_number(field, n, value);
}

static char
type_of(const struct tarout_entry *x)
{
	if (x->hard)
		return '1';
	switch (x->st->st_mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '\0';
	}
}

static void
put_common(struct tarhdr *h)
{
	memcpy(h->magic, "ustar\00000", sizeof(h->magic));
	tarhdr_put_number(h->major, sizeof(h->major), 0);
	tarhdr_put_number(h->minor, sizeof(h->minor), 0);
}

static void
put_block(struct strbuf *out, struct tarhdr *h)
{
	tarhdr_set_checksum(h);
	strbuf_addn(out, (const char *)h, sizeof(*h));
}

static void
put_pax(struct strbuf *out, const char *name, const struct strbuf *pax)
{
	static const char zeros[TAR_BLOCK];
	const char *slash = strrchr(name, '/');
	struct tarhdr h = {.type = 'x'};

	if (slash != NULL && slash[1] == '\0')
		slash = NULL; /* a directory: any name will do */
	snprintf(h.name, sizeof(h.name), "PaxHeaders.0/%.80s", slash != NULL ? slash + 1 : "entry");
	tarhdr_put_number(h.mode, sizeof(h.mode), 0644);
	tarhdr_put_number(h.uid, sizeof(h.uid), 0);
	tarhdr_put_number(h.gid, sizeof(h.gid), 0);
	tarhdr_put_number(h.size, sizeof(h.size), pax->n);
	tarhdr_put_number(h.mtime, sizeof(h.mtime), 0);
	put_common(&h);
	put_block(out, &h);
	strbuf_addn(out, pax->s, pax->n);
	strbuf_addn(out, zeros, -pax->n & (TAR_BLOCK - 1));
}

int
tarout_header(struct strbuf *out, const struct tarout_entry *x)
{
	own_strbuf struct strbuf pax = {0};
	const struct stat *st = x->st;
	struct tarhdr h = {.type = type_of(x)};
	size_t link = strlen(x->link);

	if (h.type == '\0')
		return -1;
	put_common(&h);
	if (!put_name(&h, x->name))
		pax_text(&pax, "path", x->name);
	if (link > sizeof(h.link))
		pax_text(&pax, "linkpath", x->link);
	memcpy(h.link, x->link, link < sizeof(h.link) ? link : sizeof(h.link));
	tarhdr_put_number(h.mode, sizeof(h.mode), st->st_mode & 07777);
	put_number(h.uid, sizeof(h.uid), st->st_uid, &pax, "uid");
	put_number(h.gid, sizeof(h.gid), st->st_gid, &pax, "gid");
	put_number(h.size, sizeof(h.size), h.type == '0' ? (uint64_t)st->st_size : 0, &pax, "size");
	if (st->st_mtim.tv_sec < 0)
		pax_number(&pax, "mtime", st->st_mtim.tv_sec);
	put_number(h.mtime, sizeof(h.mtime),
	    st->st_mtim.tv_sec < 0 ? 0 : (uint64_t)st->st_mtim.tv_sec, &pax, "mtime");
	if (h.type == '3' || h.type == '4') {
		tarhdr_put_number(h.major, sizeof(h.major), major(st->st_rdev));
		tarhdr_put_number(h.minor, sizeof(h.minor), minor(st->st_rdev));
	}
	for (size_t i = 0; i < x->nxattrs; i++)
		pax_record(
		    &pax, "SCHILY.xattr.", x->xattrs[i].name, x->xattrs[i].value, x->xattrs[i].n);
	if (pax.n > 0)
		put_pax(out, x->name, &pax);
	put_block(out, &h);
	return 0;
}
