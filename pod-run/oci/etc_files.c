/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/etc_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-run/oci/covered.h"

#define BASE_MAX ((size_t)1 << 20)  /* of the host's hosts and resolv.conf */
#define ZONE_MAX ((size_t)64 << 10) /* of a time zone file */
#define RESOLVED "127.0.0.53"	    /* where systemd-resolved listens */

static bool
is_mode(const char *mode, const char *word)
{
	return mode != NULL && strcmp(mode, word) == 0;
}

/* The user's own file is there.  A volume on /etc is none: ours lie on it. */
static bool
is_replaced(const struct rec_ctr_config *c, const char *path)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].target, path) == 0)
			return true;
	return false;
}

unsigned
etc_files_wanted(const struct rec_ctr_config *c)
{
	unsigned wanted = 0;

	if (!c->no_hosts && !is_replaced(c, "/etc/hosts"))
		wanted |= ETC_HOSTS;
	/* Without a network there is nobody to ask. */
	if (!c->no_resolv && !is_mode(c->network_mode, "none") &&
	    !is_replaced(c, "/etc/resolv.conf"))
		wanted |= ETC_RESOLV;
	if (!c->no_hostname && !is_replaced(c, "/etc/hostname"))
		wanted |= ETC_HOSTNAME;
	if (!covered_path(c, false, "/run/.containerenv"))
		wanted |= ETC_CONTAINERENV;
	if (c->tz != NULL && !is_replaced(c, "/etc/localtime"))
		wanted |= ETC_LOCALTIME;
	return wanted;
}

/* Who is on the host's network has its name as well, unless the name is another container's. */
static bool
has_host_name(const struct rec_ctr_config *c)
{
	if (c->uts_ns != NULL && *c->uts_ns != '\0' && !is_mode(c->uts_ns, "private"))
		return is_mode(c->uts_ns, "host");
	return is_mode(c->network_mode, "host");
}

void
etc_files_hostname(const struct rec_ctr_config *c, const char *id, char out[256])
{
	if (c->hostname != NULL)
		snprintf(out, 256, "%s", c->hostname);
	else if (!has_host_name(c) || gethostname(out, 256) < 0)
		snprintf(out, 256, "%.12s", id);
	out[255] = '\0';
}

/* --- hosts
 * ---------------------------------------------------------------------------------------*/

/* True if one of the lines names the host. */
static bool
hosts_has(const struct strbuf *out, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = out->s; line != NULL && *line != '\0';) {
		const char *end = line + strcspn(line, "\n");
		const char *word = line + strspn(line, " \t");

		word += strcspn(word, " \t\n#"); /* the address */
		while (word < end && *word != '#') {
			size_t length = strcspn(word += strspn(word, " \t"), " \t\n#");

			if (length == n && memcmp(word, name, n) == 0)
				return true;
			word += length;
		}
		line = *end == '\0' ? end : end + 1;
	}
	return false;
}

/* A line with those of the names (n of them) that no line has yet. */
static void
hosts_add(struct strbuf *out, const char *address, const char *const *names, size_t n)
{
	bool begun = false;

	for (size_t i = 0; i < n; i++) {
		if (names[i] == NULL || *names[i] == '\0' || hosts_has(out, names[i]) ||
		    (i > 0 && names[i - 1] != NULL && strcmp(names[i], names[i - 1]) == 0))
			continue;
		if (!begun)
			strbuf_addf(out, "%s\t%s", address, names[i]);
		else
			strbuf_addf(out, " %s", names[i]);
		begun = true;
	}
	if (begun)
		strbuf_addc(out, '\n');
}

/* NAME[;NAME…]:ADDRESS */
static void
hosts_add_user(struct strbuf *out, const char *word, const char *host_address)
{
	size_t n = strcspn(word, ":=");
	const char *address = word + n + 1;

	if (word[n] == '\0')
		return;
	if (strcmp(address, "host-gateway") == 0)
		address = host_address;
	if (address == NULL)
		return;
	strbuf_add(out, address);
	strbuf_addc(out, '\t');
	for (size_t i = 0; i < n; i++)
		strbuf_addc(out, word[i] == ';' ? ' ' : word[i]);
	strbuf_addc(out, '\n');
}

static void
hosts_add_base(struct strbuf *out, const char *base)
{
	while (base != NULL && *base != '\0') {
		size_t n = strcspn(base, "\n");

		/* Written line by line, so that a file without an end of line cannot swallow ours.
		 */
		strbuf_addn(out, base, n);
		strbuf_addc(out, '\n');
		base += n + (base[n] == '\n');
	}
}

static void
hosts_add_own(struct strbuf *out, const char *ipnet, const char *hostname, const char *name)
{
	bool both = name != NULL && strcmp(name, hostname) != 0;

	strbuf_addf(out, "%.*s\t%s%s%s\n", (int)strcspn(ipnet, "/"), ipnet, hostname,
	    both ? " " : "", both ? name : "");
}

const char *
etc_files_host_address(const char *configured, const char *found)
{
	if (strcmp(configured, "none") == 0)
		return "";
	return *configured != '\0' ? configured : found;
}

void
etc_files_hosts(const struct rec_ctr_config *c, const char *name, const char *hostname,
    const struct etc_net *net, const char *base, struct strbuf *out)
{
	const char *const host_names[] = {"host.containers.internal", "host.docker.internal"};
	const char *const own[] = {hostname, name};
	const char *localhost = "localhost";
	const char *host_address = net->host_address;
	bool any = false;

	if (host_address == NULL && !net->own_netns)
		host_address = "127.0.0.1";
	if (host_address != NULL && *host_address == '\0')
		host_address = NULL;
	for (size_t i = 0; i < c->add_hosts.n; i++)
		hosts_add_user(out, c->add_hosts.v[i], host_address);
	hosts_add_base(out, base);
	if (!hosts_has(out, localhost)) {
		strbuf_add(out, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	}
	if (host_address != NULL)
		hosts_add(out, host_address, host_names, COUNTOF(host_names));
	for (size_t i = 0; i < net->interfaces_n; i++)
		for (size_t k = 0; k < net->interfaces[i].addresses.n; k++) {
			/* Every address of the container gets its names, also the second. */
			hosts_add_own(out, net->interfaces[i].addresses.v[k].ipnet, hostname, name);
			any = true;
		}
	if (!any)
		hosts_add(out, "127.0.0.1", own, COUNTOF(own));
}

/* --- resolv.conf
 * ---------------------------------------------------------------------------------*/

struct resolver {
	struct strv servers, search, options;
};

static void
resolver_free(struct resolver *r)
{
	strv_free(&r->servers);
	strv_free(&r->search);
	strv_free(&r->options);
}

/* resolv.conf(5): keyword, white space, words; the last "search" or "domain" counts. */
static void
resolver_parse(struct resolver *r, const char *text)
{
	own_mem char *copy = xstrdup(text);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *words = line, *keyword, *word;
		struct strv *to;

		line[strcspn(line, "#;")] = '\0';
		words += strspn(words, " \t");
		keyword = strsep(&words, " \t");
		to = strcmp(keyword, "nameserver") == 0 ? &r->servers
		     : strcmp(keyword, "options") == 0	? &r->options
		     : strcmp(keyword, "search") == 0 || strcmp(keyword, "domain") == 0 ? &r->search
											: NULL;
		if (to == &r->search)
			strv_free(to);
		while (to != NULL && (word = strsep(&words, " \t\r")) != NULL)
			if (*word != '\0')
				strv_add(to, word);
	}
}

static bool
is_loopback(const char *address)
{
	return text_has_prefix(address, "127.") || strcmp(address, "::1") == 0;
}

static bool
has_ipv6(const struct etc_net *net)
{
	for (size_t i = 0; i < net->interfaces_n; i++)
		for (size_t k = 0; k < net->interfaces[i].addresses.n; k++)
			if (strchr(net->interfaces[i].addresses.v[k].ipnet, ':') != NULL)
				return true;
	return net->pasta;
}

/* The host's servers, as far as the container can reach them. */
static void
resolver_keep_reachable(struct resolver *r, const struct etc_net *net)
{
	bool ipv6 = has_ipv6(net);

	if (!net->own_netns)
		return;
	for (size_t i = r->servers.n; i-- > 0;)
		if (is_loopback(r->servers.v[i]) || (!ipv6 && strchr(r->servers.v[i], ':') != NULL))
			strv_remove(&r->servers, i);
	if (r->servers.n > 0 || net->pasta)
		return;
	strv_add(&r->servers, "8.8.8.8");
	strv_add(&r->servers, "8.8.4.4");
	if (ipv6) {
		strv_add(&r->servers, "2001:4860:4860::8888");
		strv_add(&r->servers, "2001:4860:4860::8844");
	}
}

static void
replace(struct strv *l, const struct strs *by)
{
	if (by->n == 0)
		return;
	strv_free(l);
	strv_add_all(l, by->v, by->n);
}

static void
write_words(struct strbuf *out, const char *keyword, const struct strv *l)
{
	if (l->n == 0)
		return;
	strbuf_add(out, keyword);
	for (size_t i = 0; i < l->n; i++)
		strbuf_addf(out, " %s", l->v[i]);
	strbuf_addc(out, '\n');
}

void
etc_files_resolv(
    const struct rec_ctr_config *c, const struct etc_net *net, const char *base, struct strbuf *out)
{
	struct resolver r = {0};

	resolver_parse(&r, base != NULL ? base : "");
	if (net->dns_servers.n > 0) {
		/* The network answers names itself, and forwards what the user asked for with
		 * --dns. */
		replace(&r.servers, &net->dns_servers);
		for (size_t i = 0; i < net->dns_search.n; i++)
			if (strv_find(&r.search, net->dns_search.v[i]) == r.search.n)
				strv_add(&r.search, net->dns_search.v[i]);
	} else if (c->dns_servers.n > 0) {
		replace(&r.servers, &c->dns_servers);
	} else {
		resolver_keep_reachable(&r, net);
	}
	replace(&r.search, &c->dns_search);
	replace(&r.options, &c->dns_options);
	if (r.search.n > 0 && strv_find(&r.search, ".") < r.search.n)
		strv_free(&r.search);
	write_words(out, "search", &r.search);
	for (size_t i = 0; i < r.servers.n; i++)
		strbuf_addf(out, "nameserver %s\n", r.servers.v[i]);
	write_words(out, "options", &r.options);
	resolver_free(&r);
}

/* --- .containerenv
 * -------------------------------------------------------------------------------*/

/* A value within double quotes, so that a shell may read the file. */
static void
add_quoted(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, "%s=\"", key);
	for (; value != NULL && *value != '\0'; value++) {
		if (strchr("\"\\$`", *value) != NULL)
			strbuf_addc(out, '\\');
		strbuf_addc(out, *value == '\n' ? ' ' : *value);
	}
	strbuf_add(out, "\"\n");
}

static void
etc_files_containerenv(const struct rec_ctr_config *c, const char *id, const char *name,
    bool rootless, struct strbuf *out)
{
	if (!c->privileged)
		return;
	add_quoted(out, "engine", "podman-" POD_VERSION);
	add_quoted(out, "name", name);
	add_quoted(out, "id", id);
	add_quoted(out, "image", c->image_name);
	add_quoted(out, "imageid", c->image_id);
	strbuf_addf(out, "rootless=%d\n", rootless ? 1 : 0);
}

/* --- Writing
 * -------------------------------------------------------------------------------------*/

/* must: one that is not there is an error, else it is empty. */
static int
read_host(const char *path, bool must, char **out, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t n;

	if (fd < 0 && errno == ENOENT && !must) {
		*out = xstrdup("");
		return 0;
	}
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return file_slurp(fd, BASE_MAX, path, out, &n, e);
}

/* The text that the container's hosts file begins with. */
static int
read_hosts_base(const struct rec_ctr_config *c, int rootfs, char **out, struct err *e)
{
	const char *from = c->hosts_file != NULL ? c->hosts_file : "/etc/hosts";
	own_fd int fd = -1;
	size_t n;

	if (strcmp(from, "none") == 0 || (strcmp(from, "image") == 0 && rootfs < 0)) {
		*out = xstrdup("");
		return 0;
	}
	if (strcmp(from, "image") != 0)
		return read_host(from, c->hosts_file != NULL, out, e);
	fd = path_open_regular(rootfs, "/etc/hosts", PATH_IN_ROOT, BASE_MAX, NULL, e);
	if (fd < 0 && e->no == ENOENT) {
		err_clear(e);
		*out = xstrdup("");
		return 0;
	}
	return fd < 0 ? -1 : file_slurp(fd, BASE_MAX, "the image's /etc/hosts", out, &n, e);
}

/* "ns:/run/netns/blue": the file that ip-netns(8) gives to programs in there, if it exists. */
static bool
read_netns_file(const char *mode, const char *file, char **out)
{
	static const char *const dirs[] = {"ns:/run/netns/", "ns:/var/run/netns/"};
	struct err e = {0};

	for (size_t i = 0; mode != NULL && i < COUNTOF(dirs); i++) {
		const char *name = mode + strlen(dirs[i]);
		own_mem char *path = NULL;

		if (!text_has_prefix(mode, dirs[i]) || strchr(name, '/') != NULL || *name == '.')
			continue;
		path = xasprintf("/etc/netns/%s/%s", name, file);
		return access(path, R_OK) == 0 && read_host(path, false, out, &e) == 0;
	}
	return false;
}

/* The host's resolv.conf, or what stands behind systemd-resolved. */
static int
read_resolv_base(const struct etc_net *net, char **out, struct err *e)
{
	own_mem char *text = NULL;

	if (read_host("/etc/resolv.conf", false, &text, e) < 0)
		return -1;
	if (net->own_netns && strstr(text, RESOLVED) != NULL &&
	    access("/run/systemd/resolve/resolv.conf", R_OK) == 0) {
		own_mem char *old = ptr_take(&text);

		if (read_host("/run/systemd/resolve/resolv.conf", false, &text, e) < 0)
			return -1;
	}
	*out = ptr_take(&text);
	return 0;
}

static int
put(int bundle, const char *name, const struct strbuf *b, struct err *e)
{
	own_fd int fd =
	    openat(bundle, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	/* In place: a running container has the old inode mounted. */
	if (fd < 0 || file_put(fd, b->s == NULL ? "" : b->s, b->n) < 0)
		return err_sys(e, "writing %s of the container", name);
	return 0;
}

static int
put_localtime(int bundle, const char *zone, struct err *e)
{
	own_mem char *path = strcmp(zone, "local") == 0 ? xstrdup("/etc/localtime")
							: xasprintf("/usr/share/zoneinfo/%s", zone);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct strbuf b = {0};
	int rc;

	if (fd < 0)
		return err_sys(e, "finding timezone: open %s", path);
	if (file_slurp(fd, ZONE_MAX, path, &b.s, &b.n, e) < 0)
		return -1;
	rc = put(bundle, "localtime", &b, e);
	strbuf_free(&b);
	return rc;
}

/* /etc/mtab as a link, where the image has none.  Not having it hurts nobody, so failure is silent.
 */
static void
make_mtab(int rootfs)
{
	own_fd int etc = -1;

	if (rootfs < 0)
		return;
	etc = path_try(rootfs, "/etc", PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (etc >= 0 && faccessat(etc, "mtab", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
	    symlinkat("/proc/mounts", etc, "mtab") < 0)
		return;
}

static int
write_hosts(int bundle, const struct rec_ctr_config *c, const char *name, const char *hostname,
    const struct etc_net *net, int rootfs, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	own_mem char *base = NULL;

	if (!read_netns_file(c->network_mode, "hosts", &base) &&
	    read_hosts_base(c, rootfs, &base, e) < 0)
		return -1;
	etc_files_hosts(c, name, hostname, net, base, &b);
	return put(bundle, "hosts", &b, e);
}

static int
write_resolv(int bundle, const struct rec_ctr_config *c, const struct etc_net *net, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	own_mem char *base = NULL;
	struct etc_net whole = *net;

	/* Its loopback is not the host's, so what it names is meant. */
	if (read_netns_file(c->network_mode, "resolv.conf", &base))
		whole.own_netns = false;
	else if (read_resolv_base(net, &base, e) < 0)
		return -1;
	etc_files_resolv(c, &whole, base, &b);
	return put(bundle, "resolv.conf", &b, e);
}

int
etc_files_write(int bundle, const struct rec_ctr_config *c, const char *id, const char *name,
    const struct etc_net *net, int rootfs, bool rootless, struct err *e)
{
	unsigned wanted = etc_files_wanted(c);
	own_strbuf struct strbuf line = {0}, env = {0};
	char hostname[256];

	/* Who shares another container's network shares its files too. */
	if (c->network_mode != NULL && text_has_prefix(c->network_mode, "container:"))
		wanted &= ~(ETC_HOSTS | ETC_RESOLV);
	etc_files_hostname(c, id, hostname);
	make_mtab(rootfs);
	if ((wanted & ETC_HOSTS) && write_hosts(bundle, c, name, hostname, net, rootfs, e) < 0)
		return -1;
	if ((wanted & ETC_RESOLV) && write_resolv(bundle, c, net, e) < 0)
		return -1;
	strbuf_addf(&line, "%s\n", hostname);
	if ((wanted & ETC_HOSTNAME) && put(bundle, "hostname", &line, e) < 0)
		return -1;
	etc_files_containerenv(c, id, name, rootless, &env);
	if ((wanted & ETC_CONTAINERENV) && put(bundle, ".containerenv", &env, e) < 0)
		return -1;
	return (wanted & ETC_LOCALTIME) ? put_localtime(bundle, c->tz, e) : 0;
}

/* --- Changing
 * ------------------------------------------------------------------------------------*/

/* True if one of the interfaces has the address that the line begins with. */
static bool
has_address(const struct etc_net *net, const char *address, size_t n)
{
	for (size_t i = 0; i < net->interfaces_n; i++)
		for (size_t k = 0; k < net->interfaces[i].addresses.n; k++) {
			const char *ipnet = net->interfaces[i].addresses.v[k].ipnet;

			if (strcspn(ipnet, "/") == n && memcmp(ipnet, address, n) == 0)
				return true;
		}
	return false;
}

static bool
is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(s, word, n) == 0;
}

/* The container may have written the file, so it is only copied line by line. */
static int
change_hosts(int bundle, const char *hostname, const char *name, const struct etc_net *before,
    const struct etc_net *after, struct err *e)
{
	const char *const host_names[] = {"host.containers.internal", "host.docker.internal"};
	bool moved = before->host_address != NULL && after->host_address != NULL &&
		     strcmp(before->host_address, after->host_address) != 0;
	own_strbuf struct strbuf b = {0};
	own_mem char *text = NULL;
	size_t n;

	if (file_read(bundle, "hosts", BASE_MAX, &text, &n, e) < 0)
		return -1;
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n"), address = strcspn(line, " \t\n");

		if ((!has_address(before, line, address) || has_address(after, line, address)) &&
		    !(moved && is_word(line, address, before->host_address))) {
			strbuf_addn(&b, line, length);
			strbuf_addc(&b, '\n');
		}
		line += length + (line[length] == '\n');
	}
	if (after->host_address != NULL && *after->host_address != '\0')
		hosts_add(&b, after->host_address, host_names, COUNTOF(host_names));
	for (size_t i = 0; i < after->interfaces_n; i++)
		for (size_t k = 0; k < after->interfaces[i].addresses.n; k++) {
			const char *ipnet = after->interfaces[i].addresses.v[k].ipnet;

			if (!has_address(before, ipnet, strcspn(ipnet, "/")))
				hosts_add_own(&b, ipnet, hostname, name);
		}
	return put(bundle, "hosts", &b, e);
}

int
etc_files_change(int bundle, const struct rec_ctr_config *c, const char *id, const char *name,
    const struct etc_net *before, const struct etc_net *after, struct err *e)
{
	unsigned wanted = etc_files_wanted(c);
	char hostname[256];

	etc_files_hostname(c, id, hostname);
	if ((wanted & ETC_HOSTS) && change_hosts(bundle, hostname, name, before, after, e) < 0)
		return -1;
	return (wanted & ETC_RESOLV) ? write_resolv(bundle, c, after, e) : 0;
}
