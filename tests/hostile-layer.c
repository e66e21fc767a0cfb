/* SPDX-License-Identifier: ISC */
/*
 * hostile-layer CASE OUTSIDE: writes the layer of one hostile case to standard output.  OUTSIDE is
 * the absolute name of a directory beside the one that the layer will be unpacked into; it holds
 * "victim". hostile-layer list: the names of all cases.  The tar is written by hand, apart from the
 * suite's own writer, which could not say most of this.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"

static const char *outside;

struct item {
	const char *name;
	char type; /* '0' if absent */
	const char *link, *data;
	size_t n; /* of data; strlen if 0 */
	unsigned mode, major, minor;
	uint64_t uid;
	const char *size, *gid, *mtime; /* fields as they shall stand, NULL: computed */
	size_t gid_n, size_n;
	bool bad_checksum;
};

static void
out(const void *p, size_t n)
{
	if (n > 0 && fwrite(p, n, 1, stdout) != 1)
		exit(1);
}

static void
pad(size_t n)
{
	static const char zeros[512];

	out(zeros, -n & 511);
}

static void
number(char *h, size_t at, size_t width, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)width - 1, (unsigned long long)v);
	memcpy(h + at, text, width);
}

static void
checksum(char h[512], bool wrong)
{
	unsigned sum = wrong;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	number(h, 148, 7, sum);
}

static void
put(struct item x)
{
	size_t n = x.n > 0 ? x.n : x.data != NULL ? strlen(x.data) : 0;
	char h[512] = {0};

	strncpy(h, x.name, 100);
	number(h, 100, 8, x.mode != 0 ? x.mode : x.type == '5' ? 0755 : 0644);
	number(h, 108, 8, x.uid);
	number(h, 116, 8, 0);
	if (x.gid != NULL)
		memcpy(h + 116, x.gid, 8);
	number(h, 124, 12, n);
	if (x.size != NULL)
		memcpy(h + 124, x.size, 12);
	number(h, 136, 12, 1700000000);
	if (x.mtime != NULL)
		memcpy(h + 136, x.mtime, 12);
	h[156] = x.type != '\0' ? x.type : '0';
	if (x.link != NULL)
		strncpy(h + 157, x.link, 100);
	memcpy(h + 257, "ustar\00000", 8);
	number(h, 329, 8, x.major);
	number(h, 337, 8, x.minor);
	checksum(h, x.bad_checksum);
	out(h, 512);
	out(x.data, n);
	pad(n);
}

/* One pax record; n of value is strlen if 0. */
static void
record(struct strbuf *b, const char *key, const char *value, size_t n)
{
	size_t rest, len;
	char digits[24];

	n = n > 0 ? n : strlen(value);
	rest = strlen(key) + n + 3;
	len = rest + 1;
	while (len != rest + (size_t)snprintf(digits, sizeof(digits), "%zu", len))
		len = rest + (size_t)snprintf(digits, sizeof(digits), "%zu", len);
	strbuf_addf(b, "%zu %s=", len, key);
	strbuf_addn(b, value, n);
	strbuf_addc(b, '\n');
}

static void
pax_one(char type, const char *key, const char *value, size_t n)
{
	own_strbuf struct strbuf b = {0};

	record(&b, key, value, n);
	put((struct item){"PaxHeaders/x", .type = type, .data = b.s, .n = b.n});
}

static char *
at_outside(const char *name)
{
	return xasprintf("%s/%s", outside, name);
}

#define PUT(...) put((struct item){__VA_ARGS__})

static void
dotdot(void)
{
	char *deep = xasprintf("../../../../../../../../../..%s", at_outside("escaped"));

	PUT("../outside/escaped", .data = "x");
	PUT(deep, .data = "x");
}

static void
absolute(void)
{
	PUT(at_outside("escaped"), .data = "x");
}

static void
link_absolute(void)
{
	PUT("lnk", .type = '2', .link = outside);
	PUT("lnk/escaped", .data = "x");
}

static void
link_relative(void)
{
	PUT("lnk", .type = '2', .link = "../outside");
	PUT("lnk/escaped", .data = "x");
}

static void
hard_absolute(void)
{
	PUT("hard", .type = '1', .link = at_outside("victim"));
}

static void
hard_dotdot(void)
{
	PUT("hard", .type = '1', .link = "../outside/victim");
}

static void
hard_through_link(void)
{
	PUT("lnk", .type = '2', .link = "../outside");
	PUT("hard", .type = '1', .link = "lnk/victim");
}

static void
file_over_link(void)
{
	PUT("lnk", .type = '2', .link = at_outside("victim"));
	PUT("lnk", .data = "mine");
}

static void
dir_over_link(void)
{
	PUT("lnk", .type = '2', .link = "../outside");
	PUT("lnk/", .type = '5');
	PUT("lnk/escaped", .data = "x");
}

static void
devices(void)
{
	PUT("null", .type = '3', .major = 1, .minor = 3);
	PUT("disk", .type = '4', .major = 8);
}

static void
forged_whiteout(void)
{
	PUT("forged", .type = '3');
}

static void
overlay_xattrs(void)
{
	own_strbuf struct strbuf b = {0};

	record(&b, "SCHILY.xattr.trusted.overlay.redirect", "/etc", 0);
	record(&b, "SCHILY.xattr.trusted.overlay.opaque", "y", 0);
	record(&b, "SCHILY.xattr.trusted.overlay.metacopy", "", 0);
	record(&b, "SCHILY.xattr.user.overlay.opaque", "y", 0);
	record(&b, "SCHILY.xattr.user.overlay.whiteout", "y", 0);
	PUT("x", .type = 'x', .data = b.s, .n = b.n);
	PUT("dir/", .type = '5');
}

static void
capability(void)
{
	static const char cap[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

	pax_one('x', "SCHILY.xattr.security.capability", cap, 20);
	PUT("ping", .mode = 0755, .data = "x");
}

static void
label_xattrs(void)
{
	own_strbuf struct strbuf b = {0};

	record(&b, "SCHILY.xattr.security.selinux", "system_u:object_r:shadow_t:s0", 0);
	record(&b, "SCHILY.xattr.security.ima", "\1", 0);
	record(&b, "SCHILY.xattr.security.evm", "\2", 0);
	record(&b, "SCHILY.xattr.user.fine", "kept", 0);
	PUT("x", .type = 'x', .data = b.s, .n = b.n);
	PUT("labelled", .data = "x");
}

static void
setuid_root(void)
{
	PUT("su", .mode = 04755, .data = "x");
}

static void
size_huge(void)
{
	PUT("huge", .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
}

static void
size_negative(void)
{
	PUT("negative", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
}

static void
sparse_tebibyte(void)
{
	own_strbuf struct strbuf b = {0};
	char data[1024] = "1\n1099511627264\n512\n";

	memset(data + 512, 'x', 512);
	record(&b, "GNU.sparse.major", "1", 0);
	record(&b, "GNU.sparse.minor", "0", 0);
	record(&b, "GNU.sparse.name", "sparse", 0);
	record(&b, "GNU.sparse.realsize", "1099511627776", 0);
	PUT("x", .type = 'x', .data = b.s, .n = b.n);
	PUT("GNUSparseFile.0/sparse", .data = data, .n = sizeof(data));
}

static void
sparse_lies(void)
{
	own_strbuf struct strbuf b = {0};

	record(&b, "GNU.sparse.size", "1000", 0);
	record(&b, "GNU.sparse.map", "0,600,500,600", 0);
	PUT("x", .type = 'x', .data = b.s, .n = b.n);
	PUT("sparse", .data = "x", .n = 1);
}

static void
zeros_2g(void)
{
	static char zeros[1 << 20];

	PUT("zeros", .size = "20000000000");
	for (int i = 0; i < 2048; i++)
		out(zeros, sizeof(zeros));
}

static void
file_then_dir(void)
{
	PUT("same", .data = "file");
	PUT("same/", .type = '5');
	PUT("same/child", .data = "x");
}

static void
dir_then_file(void)
{
	PUT("same/", .type = '5');
	PUT("same/child", .data = "x");
	PUT("same", .data = "file");
}

static void
file_as_parent(void)
{
	PUT("same", .data = "file");
	PUT("same/child", .data = "x");
}

static void
whiteouts(void)
{
	static const char *const names[] = {".wh.", ".wh..", ".wh...", "etc/.wh..", "etc/.wh...",
	    ".wh..wh.plnk", ".wh..wh.plnk/1.2", ".wh..wh..opq", ".wh..wh.aufs", "etc/.wh.gone"};

	for (size_t i = 0; i < COUNTOF(names); i++)
		PUT(names[i]);
}

static void
whiteout_dotdot(void)
{
	PUT("etc/../../outside/.wh.victim");
	PUT("etc/../../.wh.outside");
}

static void
whiteout_then_name(void)
{
	PUT(".wh.both");
	PUT("both/", .type = '5');
	PUT(".wh.implied");
	PUT("implied/child", .data = "x");
	PUT(".wh.lower");
	PUT("lower/.wh.child");
}

static void
name_then_whiteout(void)
{
	PUT("both/", .type = '5');
	PUT("both/child", .data = "x");
	PUT(".wh.both");
	PUT("file", .data = "x");
	PUT(".wh.file");
}

static void
closed_dir(void)
{
	PUT("closed/", .type = '5', .mode = 010000);
	PUT("closed/child", .data = "x");
}

static void
long_component(void)
{
	char name[301];

	memset(name, 'a', 300);
	name[300] = '\0';
	pax_one('x', "path", name, 0);
	PUT("short", .data = "x");
}

/* A link to a directory that no file system can make, and a file below it. */
static void
below_long_link(size_t n)
{
	char target[1001];

	memset(target, 'a', n);
	target[n] = '\0';
	pax_one('x', "linkpath", target, 0);
	PUT("lnk", .type = '2', .link = "short");
	PUT("lnk/f", .data = "x");
}

static void
long_link_300(void)
{
	below_long_link(300);
}

static void
long_link_1000(void)
{
	below_long_link(1000);
}

static void
long_path(void)
{
	own_strbuf struct strbuf b = {0};

	while (b.n < 5000)
		strbuf_add(&b, "directory/");
	pax_one('x', "path", b.s, 0);
	PUT("short", .data = "x");
}

static void
nested(void)
{
	own_strbuf struct strbuf b = {0};

	for (int i = 0; i < 1000; i++)
		strbuf_add(&b, "d/");
	strbuf_add(&b, "leaf");
	pax_one('x', "path", b.s, 0);
	PUT("short", .data = "x");
}

static void
pax_nul(void)
{
	pax_one('x', "path", "etc/a\0b", 7);
	PUT("short", .data = "x");
}

static void
pax_global_path(void)
{
	pax_one('g', "path", "everything", 0);
	PUT("short", .data = "x");
}

static void
pax_global_comment(void)
{
	pax_one('g', "comment", "0123456789", 0);
	PUT("short", .data = "x");
}

static void
pax_size_lies(void)
{
	pax_one('x', "size", "600", 0);
	PUT("short", .data = "x");
}

static void
pax_4g(void)
{
	PUT("x", .type = 'x', .size = "40000000000");
}

static void
pax_malformed(void)
{
	PUT("x", .type = 'x', .data = "99 path=a\n");
	PUT("short", .data = "x");
}

static void
uid_huge(void)
{
	pax_one('x', "uid", "1099511627776", 0);
	PUT("owned", .data = "x");
}

static void
gid_negative(void)
{
	PUT("owned", .data = "x", .gid = "\xff\xff\xff\xff\xff\xff\xff\xfb");
}

static void
time_far(void)
{
	pax_one('x', "mtime", "315537897600000000", 0);
	PUT("late", .data = "x");
}

static void
root_entry(void)
{
	PUT(".", .type = '5', .mode = 0777, .uid = 1000);
	PUT("./", .type = '5', .mode = 0777, .uid = 1000);
	PUT("/", .type = '5', .mode = 0777, .uid = 1000);
	PUT("etc/..", .type = '5', .mode = 0777, .uid = 1000);
}

static void
after_end(void)
{
	static const char zeros[1024];

	PUT("before", .data = "x");
	out(zeros, sizeof(zeros));
	PUT("after", .data = "x");
}

static void
lone_zero_block(void)
{
	static const char zeros[512];

	out(zeros, sizeof(zeros));
	PUT("after", .data = "x");
}

static void
hard_to_link(void)
{
	PUT("lnk", .type = '2', .link = "/etc/shadow");
	PUT("hard", .type = '1', .link = "lnk");
}

static void
hard_to_dir(void)
{
	PUT("hard", .type = '1', .link = "etc");
}

static void
hard_to_nothing(void)
{
	PUT("hard", .type = '1', .link = "nothing");
}

static void
hard_to_itself(void)
{
	PUT("etc/ok", .type = '1', .link = "etc/ok");
}

static void
fifo(void)
{
	PUT("fifo", .type = '6');
}

static void
strange_names(void)
{
	PUT("line\nbreak", .data = "x");
	PUT("\033[31mred", .data = "x");
	PUT("\xff\xfe", .data = "x");
}

static void
strange_error(void)
{
	PUT("\033]0;owned\a\n", .type = '1', .link = "nothing");
}

static void
bad_checksum(void)
{
	PUT("bad", .data = "x", .bad_checksum = true);
}

static void
xattr_70k(void)
{
	char *value = xmalloc(70000);

	memset(value, 'x', 70000);
	pax_one('x', "SCHILY.xattr.user.big", value, 70000);
	PUT("big", .data = "x");
	free(value);
}

static void
truncated(void)
{
	PUT("cut", .size = "00000100000", .data = NULL);
}

static void
unknown_type(void)
{
	PUT("odd", .type = 'M');
}

static void
many_files(void)
{
	for (int i = 0; i < 30000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many/%d", i);
		PUT(name);
	}
}

static void
crowd(const char *dir, int per_dir, int n)
{
	for (int i = 0; i < n; i++) {
		char name[48];

		snprintf(name, sizeof(name), "%s/%d/%d", dir, i / per_dir, i);
		PUT(name);
	}
}

static void
million_files(void)
{
	crowd("many", 1000, 1000000);
}

static void
big_dir(void)
{
	crowd("many", 200000, 200000);
}

/* ext4 gives a file at most 65000 names. */
static void
many_links(void)
{
	PUT("first", .data = "x");
	for (int i = 0; i < 70000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "l/%d", i);
		PUT(name, .type = '1', .link = "first");
	}
}

/* Equal where case, or the Unicode form (NFC, NFD), is not told apart: not here. */
static void
twins(void)
{
	PUT("README", .data = "upper");
	PUT("readme", .data = "lower");
	PUT("caf\xc3\xa9", .data = "nfc");
	PUT("cafe\xcc\x81", .data = "nfd");
	PUT("Dir/", .type = '5');
	PUT("dir", .type = '2', .link = outside);
	PUT("Dir/escaped", .data = "x");
}

static void
default_acl(void)
{
	/* Version 2; user::rwx group::rwx mask::rwx other::rwx named user 1: rwx. */
	static const char acl[] = "\2\0\0\0"
				  "\1\0\7\0\xff\xff\xff\xff"
				  "\2\0\7\0\1\0\0\0"
				  "\4\0\7\0\xff\xff\xff\xff"
				  "\x10\0\7\0\xff\xff\xff\xff"
				  "\x20\0\7\0\xff\xff\xff\xff";

	pax_one('x', "SCHILY.xattr.system.posix_acl_default", acl, 44);
	PUT("acl/", .type = '5');
	PUT("acl/child", .mode = 0640, .data = "x");
	PUT("acl/sub/", .type = '5', .mode = 0750);
}

static void
tower(void)
{
	PUT("a/b/c/", .type = '5', .mode = 02755);
	PUT("a/b/c/f", .data = "x");
	PUT("a", .type = '2', .link = "../outside");
	PUT("a/b", .data = "x");
}

static const struct {
	const char *name;
	void (*write)(void);
	bool open; /* without end-of-archive blocks */
} cases[] = {
#define CASE(x)              \
	{                    \
#x, x, false \
	}
    CASE(dotdot),
    CASE(absolute),
    CASE(link_absolute),
    CASE(link_relative),
    CASE(hard_absolute),
    CASE(hard_dotdot),
    CASE(hard_through_link),
    CASE(file_over_link),
    CASE(dir_over_link),
    CASE(devices),
    CASE(forged_whiteout),
    CASE(overlay_xattrs),
    CASE(capability),
    CASE(label_xattrs),
    CASE(setuid_root),
    CASE(size_huge),
    CASE(size_negative),
    CASE(sparse_tebibyte),
    CASE(sparse_lies),
    CASE(zeros_2g),
    CASE(file_then_dir),
    CASE(dir_then_file),
    CASE(file_as_parent),
    CASE(whiteouts),
    CASE(whiteout_dotdot),
    CASE(whiteout_then_name),
    CASE(name_then_whiteout),
    CASE(closed_dir),
    CASE(long_component),
    CASE(long_link_300),
    CASE(long_link_1000),
    CASE(long_path),
    CASE(nested),
    CASE(pax_nul),
    CASE(pax_global_path),
    CASE(pax_global_comment),
    CASE(pax_size_lies),
    CASE(pax_4g),
    CASE(pax_malformed),
    CASE(uid_huge),
    CASE(gid_negative),
    CASE(time_far),
    CASE(root_entry),
    CASE(after_end),
    CASE(lone_zero_block),
    CASE(hard_to_link),
    CASE(hard_to_dir),
    CASE(hard_to_nothing),
    CASE(hard_to_itself),
    CASE(fifo),
    CASE(strange_names),
    CASE(strange_error),
    CASE(bad_checksum),
    CASE(xattr_70k),
    {"truncated", truncated, true},
    CASE(unknown_type),
    CASE(many_files),
    CASE(million_files),
    CASE(big_dir),
    CASE(many_links),
    CASE(twins),
    CASE(default_acl),
    CASE(tower),
};

int
main(int argc, char **argv)
{
	static const char zeros[1024];

	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < COUNTOF(cases); i++)
			puts(cases[i].name);
		return 0;
	}
	for (size_t i = 0; argc == 3 && i < COUNTOF(cases); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		outside = argv[2];
		PUT("etc/", .type = '5');
		PUT("etc/ok", .data = "ok\n");
		cases[i].write();
		if (!cases[i].open)
			out(zeros, sizeof(zeros));
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fputs("usage: hostile-layer list | CASE OUTSIDE\n", stderr);
	return 125;
}
