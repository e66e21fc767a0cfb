/* SPDX-License-Identifier: ISC */
/* hosts, resolv.conf, hostname and .containerenv. */
// objs: pod-run/oci/etc_files.o pod-run/oci/covered.o pod-run/oci/spec_list.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/tree.h"
#include "pod-run/oci/etc_files.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct rec_ctr_config c;
static struct strbuf b;
static struct rec_net_address address = {.ipnet = "10.88.0.5/16", .gateway = "10.88.0.1"};
static struct rec_net_interface interface = {.network = "podman", .name = "eth0"};
static struct etc_net net;

static void
setup(void)
{
	c = (struct rec_ctr_config){.uts_ns = "private", .network_mode = "bridge"};
	interface.addresses.v = &address;
	interface.addresses.n = 1;
	address.ipnet = "10.88.0.5/16";
	net = (struct etc_net){.own_netns = true,
	    .interfaces = &interface,
	    .interfaces_n = 1,
	    .host_address = "10.88.0.1"};
}

static void
teardown(void)
{
	strbuf_free(&b);
}

TestSuite(files, .init = setup, .fini = teardown);

static const char *
hosts(const char *base)
{
	strbuf_free(&b);
	etc_files_hosts(&c, "name", "box", &net, base, &b);
	return b.s;
}

static const char *
resolv(const char *base)
{
	strbuf_free(&b);
	etc_files_resolv(&c, &net, base, &b);
	return b.s == NULL ? "" : b.s;
}

Test(files, hosts)
{
	static const char *const add[] = {"a;b:1.2.3.4", "gw:host-gateway", "six:2001:db8::1"};

	cr_assert_str_eq(hosts("1.1.1.1 base"),
	    "1.1.1.1 base\n127.0.0.1\tlocalhost\n::1\tlocalhost\n"
	    "10.88.0.1\thost.containers.internal host.docker.internal\n10.88.0.5\tbox name\n");
	c.add_hosts = (struct strs){(const char **)(uintptr_t)add, 3};
	cr_assert_str_eq(hosts("127.0.0.1 localhost # host.docker.internal\n"),
	    "1.2.3.4\ta b\n10.88.0.1\tgw\n2001:db8::1\tsix\n"
	    "127.0.0.1 localhost # host.docker.internal\n"
	    "10.88.0.1\thost.containers.internal host.docker.internal\n10.88.0.5\tbox name\n");
}

Test(files, hosts_without_addresses)
{
	net.interfaces_n = 0;
	net.host_address = NULL;
	cr_assert_str_eq(hosts(""), "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\tbox name\n");
	net.own_netns = false;
	cr_assert_str_eq(hosts("127.0.0.1 localhost box\n"),
	    "127.0.0.1 localhost box\n127.0.0.1\thost.containers.internal host.docker.internal\n"
	    "127.0.0.1\tname\n",
	    "names already present are not repeated");
}

Test(files, resolv_of_the_host)
{
	cr_assert_str_eq(resolv("search a.b c\nnameserver 127.0.0.53\nnameserver 9.9.9.9\n"
				"nameserver fe80::1\noptions edns0\n"),
	    "search a.b c\nnameserver 9.9.9.9\noptions edns0\n");
	cr_assert_str_eq(resolv("nameserver 127.0.0.1\n"),
	    "nameserver 8.8.8.8\nnameserver 8.8.4.4\n", "only a loopback server");
	net.own_netns = false;
	cr_assert_str_eq(resolv("nameserver 127.0.0.1"), "nameserver 127.0.0.1\n");
}

Test(files, resolv_asked_for)
{
	static const char *const servers[] = {"1.1.1.1"}, *const dot[] = {"."},
				 *const network[] = {"10.89.0.1"}, *const search[] = {"dns.podman"};

	c.dns_servers = (struct strs){(const char **)(uintptr_t)servers, 1};
	cr_assert_str_eq(
	    resolv("search a\nnameserver 9.9.9.9\n"), "search a\nnameserver 1.1.1.1\n");
	c.dns_search = (struct strs){(const char **)(uintptr_t)dot, 1};
	cr_assert_str_eq(resolv("search a\n"), "nameserver 1.1.1.1\n");
	c.dns_search.n = 0;
	net.dns_servers = (struct strs){(const char **)(uintptr_t)network, 1};
	net.dns_search = (struct strs){(const char **)(uintptr_t)search, 1};
	cr_assert_str_eq(resolv("nameserver 9.9.9.9\n"),
	    "search dns.podman\nnameserver 10.89.0.1\n",
	    "the network's server answers, and forwards to --dns");
}

Test(files, hostname)
{
	char name[256];

	etc_files_hostname(&c, ID, name);
	cr_assert_str_eq(name, "0123456789ab");
	c.hostname = "given";
	etc_files_hostname(&c, ID, name);
	cr_assert_str_eq(name, "given");
}

Test(files, what_the_user_mounts_is_not_made)
{
	struct rec_ctr_mount m = {.type = "tmpfs", .target = "/run"};

	cr_assert_eq(
	    etc_files_wanted(&c), ETC_HOSTS | ETC_RESOLV | ETC_HOSTNAME | ETC_CONTAINERENV);
	c.network_mode = "none";
	cr_assert_eq(etc_files_wanted(&c), ETC_HOSTS | ETC_HOSTNAME | ETC_CONTAINERENV);
	c.network_mode = "bridge";
	c.mounts.v = &m;
	c.mounts.n = 1;
	cr_assert_eq(etc_files_wanted(&c) & ETC_CONTAINERENV, 0);
	m.implied = true;
	cr_assert_neq(etc_files_wanted(&c) & ETC_CONTAINERENV, 0, "not the tmpfs of --read-only");
	m.target = "/runner";
	m.implied = false;
	cr_assert_neq(etc_files_wanted(&c) & ETC_CONTAINERENV, 0);
}

Test(files, written_in_place)
{
	char where[] = "/tmp/test-files-XXXXXX";
	own_fd int dir = -1;
	struct stat before, after;
	struct err e = {0};
	own_mem char *text = NULL;
	size_t n;

	cr_assert_not_null(mkdtemp(where));
	dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	c.privileged = true;
	c.image_name = "x\"$(evil)\n";
	cr_assert_eq(etc_files_write(dir, &c, ID, "n", &net, -1, false, &e), 0, "%s", e.text);
	cr_assert_eq(fstatat(dir, "hosts", &before, 0), 0);
	cr_assert_eq(etc_files_write(dir, &c, ID, "n", &net, -1, false, &e), 0);
	cr_assert_eq(fstatat(dir, "hosts", &after, 0), 0);
	cr_assert_eq(before.st_ino, after.st_ino, "a running container has it mounted");
	cr_assert_eq(file_read(dir, "hostname", 100, &text, &n, &e), 0);
	cr_assert_str_eq(text, "0123456789ab\n");
	free(text);
	text = NULL;
	cr_assert_eq(file_read(dir, ".containerenv", 4096, &text, &n, &e), 0);
	cr_assert_not_null(strstr(text, "image=\"x\\\"\\$(evil) \"\n"));
	tree_remove(AT_FDCWD, where, &e);
}

Test(files, name_on_the_network_of_the_host)
{
	char host[256], name[256];

	cr_assert_eq(gethostname(host, sizeof(host)), 0);
	etc_files_hostname(&c, "0123456789abcdef", name);
	cr_assert_str_eq(name, "0123456789ab");
	c.network_mode = "host";
	etc_files_hostname(&c, "0123456789abcdef", name);
	cr_assert_str_eq(name, host);
	c.uts_ns = "container:x";
	etc_files_hostname(&c, "0123456789abcdef", name);
	cr_assert_str_eq(name, "0123456789ab");
}
