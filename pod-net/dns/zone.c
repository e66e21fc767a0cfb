/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-net/dns/zone.h"

#define FILE_MAX (64u << 20)
#define NETWORKS_MAX 4096u
#define INTERNAL "%int"

/* Appends to an array of the arena, which only grows: doubled, the old one is left behind. */
#define PUSH(a, list, n)                                                                    \
	do {                                                                                \
		if (((n) & ((n)-1)) == 0) {                                                 \
			void *more_ = arena_array((a), (n) ? 2 * (n) : 1, sizeof(*(list))); \
			if ((n) > 0)                                                        \
				memcpy(more_, (list), (n) * sizeof(*(list)));               \
			(list) = more_;                                                     \
		}                                                                           \
	} while (0)

static void
add_addrs(struct zone *z, struct zone_addrs *l, char *text)
{
	for (char *s; (s = strsep(&text, ",")) != NULL;) {
		struct addr a;

		if (addr_parse(s, &a) == -1)
			continue;
		PUSH(&z->arena, l->v, l->n);
		l->v[l->n++] = a;
	}
}

static void
add_names(struct zone *z, struct zone_member *m, char *text)
{
	for (char *s; (s = strsep(&text, ",")) != NULL;) {
		if (*s == '\0')
			continue;
		for (char *c = s; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		PUSH(&z->arena, m->names, m->nnames);
		m->names[m->nnames++] = arena_strdup(&z->arena, s);
	}
}

static void
add_member(struct zone *z, struct zone_network *n, char *line)
{
	struct zone_member m = {0};
	char *columns[5] = {NULL};
	size_t count = 0;

	while (count < COUNTOF(columns) && line != NULL)
		columns[count++] = strsep(&line, " ");
	if (count < 4 || line != NULL || *columns[0] == '\0') {
		log_warn("network %s: a line of its names is malformed", n->name);
		return;
	}
	m.id = arena_strdup(&z->arena, columns[0]);
	add_addrs(z, &m.addrs, columns[1]);
	add_addrs(z, &m.addrs, columns[2]);
	add_names(z, &m, columns[3]);
	if (columns[4] != NULL)
		add_addrs(z, &m.servers, columns[4]);
	PUSH(&z->arena, n->members, n->nmembers);
	n->members[n->nmembers++] = m;
}

void
zone_add(struct zone *z, const char *file, char *text)
{
	struct zone_network n = {.internal = text_has_suffix(file, INTERNAL)};
	size_t len = strlen(file) - (n.internal ? sizeof(INTERNAL) - 1 : 0);
	char *first = strsep(&text, "\n"), *listen = strsep(&first, " ");

	n.name = arena_strndup(&z->arena, file, len);
	add_addrs(z, &n.listen, listen);
	if (first != NULL)
		add_addrs(z, &n.servers, first);
	if (n.listen.n == 0) {
		log_warn("network %s: no address to listen on", n.name);
		return;
	}
	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		if (*line != '\0')
			add_member(z, &n, line);
	PUSH(&z->arena, z->networks, z->nnetworks);
	z->networks[z->nnetworks++] = n;
}

static int
compare_names(const void *a, const void *b)
{
	const struct zone_by_name *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_addrs(const void *a, const void *b)
{
	const struct zone_by_addr *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct zone_member *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static void
finish_network(struct zone *z, struct zone_network *n)
{
	for (size_t i = 0; i < n->nmembers; i++) {
		n->members[i].network = n;
		n->nnames += n->members[i].nnames;
		n->naddrs += n->members[i].addrs.n;
	}
	n->names = arena_array(&z->arena, n->nnames + 1, sizeof(*n->names));
	n->addrs = arena_array(&z->arena, n->naddrs + 1, sizeof(*n->addrs));
	n->nnames = n->naddrs = 0;
	for (size_t i = 0; i < n->nmembers; i++) {
		const struct zone_member *m = &n->members[i];

		for (size_t j = 0; j < m->nnames; j++)
			n->names[n->nnames++] = (struct zone_by_name){m->names[j], m};
		for (size_t j = 0; j < m->addrs.n; j++)
			n->addrs[n->naddrs++] = (struct zone_by_addr){m->addrs.v[j], m};
	}
	qsort(n->names, n->nnames, sizeof(*n->names), compare_names);
	qsort(n->addrs, n->naddrs, sizeof(*n->addrs), compare_addrs);
}

void
zone_finish(struct zone *z)
{
	size_t total = 0;

	for (size_t i = 0; i < z->nnetworks; i++) {
		finish_network(z, &z->networks[i]);
		total += z->networks[i].nmembers;
	}
	z->by_id = arena_array(&z->arena, total + 1, sizeof(*z->by_id));
	for (size_t i = 0; i < z->nnetworks; i++)
		for (size_t j = 0; j < z->networks[i].nmembers; j++)
			z->by_id[z->nby_id++] = &z->networks[i].members[j];
	qsort(z->by_id, z->nby_id, sizeof(*z->by_id), compare_ids);
}

static void
load_file(struct zone *z, int dir, const char *name)
{
	own_mem char *text = NULL;
	own_fd int fd = -1;
	struct err e = {0};
	size_t n;

	fd = path_open_regular(dir, name, PATH_PLAIN, FILE_MAX, NULL, &e);
	if (fd == -1 || file_slurp(fd, FILE_MAX, name, &text, &n, &e) == -1) {
		/* The last container of a network may have left between the listing and now. */
		if (e.no != ENOENT)
			log_warn("%s", e.text);
		return;
	}
	if (strlen(text) != n)
		log_warn("network %s: its file holds a NUL", name);
	else
		zone_add(z, name, text);
}

int
zone_load(struct zone *z, int dir, struct err *e)
{
	struct zone new = {0};
	own_dir DIR *d = NULL;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd == -1 ? NULL : fdopendir(fd);
	if (d == NULL) {
		fd_close(&fd);
		return err_sys(e, "reading the directory of names");
	}
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		/* Not what is being written and gets its name when it is whole. */
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "aardvark.pid") == 0)
			continue;
		if (new.nnetworks < NETWORKS_MAX)
			load_file(&new, dir, entry->d_name);
	}
	zone_finish(&new);
	zone_free(z);
	*z = new;
	return 0;
}

void
zone_free(struct zone *z)
{
	arena_free(&z->arena);
	*z = (struct zone){0};
}

const struct zone_member *
zone_client(const struct zone_network *n, const struct addr *a)
{
	struct zone_by_addr key = {.addr = *a};
	const struct zone_by_addr *found =
	    bsearch(&key, n->addrs, n->naddrs, sizeof(key), compare_addrs);

	return found == NULL ? NULL : found->member;
}

const struct zone_member *const *
zone_memberships(const struct zone *z, const char *id, size_t *count)
{
	const struct zone_member key = {.id = id}, *at = &key;
	const struct zone_member **found =
	    bsearch(&at, z->by_id, z->nby_id, sizeof(*z->by_id), compare_ids);
	const struct zone_member **end = z->by_id + z->nby_id, **first = found;

	*count = 0;
	if (found == NULL)
		return NULL;
	while (first > z->by_id && strcmp(first[-1]->id, id) == 0)
		first--;
	while (found < end && strcmp((*found)->id, id) == 0)
		found++;
	*count = (size_t)(found - first);
	return first;
}

const struct zone_by_name *
zone_names(const struct zone_network *n, const char *name, size_t *count)
{
	struct zone_by_name key = {.name = name};
	const struct zone_by_name *found =
	    bsearch(&key, n->names, n->nnames, sizeof(key), compare_names);
	const struct zone_by_name *end = n->names + n->nnames, *first = found;

	*count = 0;
	if (found == NULL)
		return NULL;
	while (first > n->names && strcmp(first[-1].name, name) == 0)
		first--;
	while (found < end && strcmp(found->name, name) == 0)
		found++;
	*count = (size_t)(found - first);
	return first;
}
