/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_list.h"

#define DOMAIN_MAX 253

static int
family_of(const char *s)
{
	uint8_t raw[16];

	return inet_pton(AF_INET, s, raw) == 1	  ? AF_INET
	       : inet_pton(AF_INET6, s, raw) == 1 ? AF_INET6
						  : AF_UNSPEC;
}

static int
check_mac(const char *s, struct err *e)
{
	unsigned b[6];
	char end;

	if (strlen(s) == 17 && sscanf(s, "%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%c",
				   &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) == 6)
		return 0;
	return err_set(e, ERR_INVALID, "address %s: invalid MAC address", s);
}

/* One "key=value" after the name of a network. */
static int
attach_option(struct rec_net_attach *n, char *option, struct arena *a, struct err *e)
{
	char *value = strchr(option, '=');

	if (value == NULL)
		return err_set(e, ERR_INVALID, "invalid network option \"%s\"", option);
	*value++ = '\0';
	if (strcmp(option, "ip") == 0 || strcmp(option, "ip6") == 0) {
		if (family_of(value) == AF_UNSPEC)
			return err_set(e, ERR_INVALID, "invalid ip address \"%s\"", value);
		spec_list_add(a, &n->static_ips, value);
	} else if (strcmp(option, "mac") == 0) {
		n->static_mac = value;
		return check_mac(value, e);
	} else if (strcmp(option, "alias") == 0) {
		spec_list_add(a, &n->aliases, value);
	} else if (strcmp(option, "interface_name") == 0) {
		if (*value == '\0' || strlen(value) >= IFNAMSIZ || strpbrk(value, "/ \t") != NULL ||
		    strcmp(value, "..") == 0 || strcmp(value, ".") == 0)
			return err_set(e, ERR_INVALID, "invalid interface name \"%s\"", value);
		n->interface = value;
	} else {
		struct rec_kv *kv = SPEC_PUSH(a, &n->options);

		kv->key = option;
		kv->value = value;
	}
	return 0;
}

static int
attach(struct rec_ctr_config *c, const char *name, char *options, struct arena *a, struct err *e)
{
	struct rec_net_attach *n;

	if (*name == '\0')
		return err_set(e, ERR_INVALID, "network name cannot be empty: invalid argument");
	for (size_t i = 0; i < c->networks.n; i++)
		if (strcmp(c->networks.v[i].network, name) == 0)
			return err_set(e, ERR_INVALID,
			    "network \"%s\" is given twice: invalid argument", name);
	n = SPEC_PUSH(a, &c->networks);
	n->network = name;
	for (char *o; (o = strsep(&options, ",")) != NULL;)
		if (*o != '\0' && attach_option(n, o, a, e) < 0)
			return -1;
	return 0;
}

int
spec_network_join(const char *word, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	char *options = arena_strdup(a, word), *name = strsep(&options, ":");

	return attach(c, name, options, a, e);
}

/* Modes that are not networks. */
static bool
is_mode(const char *s)
{
	static const char *const words[] = {
	    "none", "host", "private", "default", "bridge", "pasta", "slirp4netns"};

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcmp(words[i], s) == 0)
			return true;
	return text_has_prefix(s, "container:") || text_has_prefix(s, "ns:");
}

static const char *
private_mode(const struct spec_input *in)
{
	return in->d->rootless ? in->d->conf->network_default_rootless_network_cmd : "bridge";
}

static const char *
default_mode(const struct spec_input *in)
{
	const char *mode = in->d->conf->containers_netns;

	if (*mode != '\0' && strcmp(mode, "private") != 0 && strcmp(mode, "default") != 0)
		return mode;
	return private_mode(in);
}

/* Whoever may not open it is told by the runtime, which has to. */
static int
check_netns(const char *path, struct err *e)
{
	/* Opening a device can do things; asking a namespace for its kind does nothing. */
	own_fd int fd = open(path, O_PATH | O_CLOEXEC), ns = -1;
	struct statfs fs;
	char link[32];

	if (fd < 0)
		return err_sys(e, "cannot find specified network namespace path: stat %s", path);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC) {
		ns = open(link, O_RDONLY | O_CLOEXEC);
		if (ns < 0 || ioctl(ns, NS_GET_NSTYPE) == CLONE_NEWNET)
			return 0;
	}
	return err_set(e, ERR_INVALID, "%s is not a network namespace: invalid argument", path);
}

/* The first --network, which chooses the mode.  word is cut. */
static int
first_network(const struct spec_input *in, struct rec_ctr_config *c, char *word, struct arena *a,
    struct err *e)
{
	char *options = strchr(word, ':');
	size_t mode = strcspn(word, ":");

	if (mode == 0 || (mode == 7 && memcmp(word, "default", 7) == 0)) {
		word = arena_printf(a, "%s%s", default_mode(in), word + mode);
		options = strchr(word, ':');
	}
	if (text_has_prefix(word, "container:") || text_has_prefix(word, "ns:")) {
		if (options[1] == '\0')
			return err_set(e, ERR_INVALID,
			    "must provide a %s when joining the network namespace of one",
			    *word == 'c' ? "name or ID for a container" : "path to a namespace");
		if (*word == 'n' && check_netns(options + 1, e) < 0)
			return -1;
		c->network_mode = word;
		return 0;
	}
	if (options != NULL)
		*options++ = '\0';
	if (options != NULL && (strcmp(word, "none") == 0 || strcmp(word, "host") == 0))
		return err_set(e, ERR_INVALID,
		    "invalid option for network %s: unknown bridge network option: %s", word,
		    options);
	if (strcmp(word, "private") == 0)
		c->network_mode = private_mode(in);
	else if (is_mode(word))
		c->network_mode = word;
	else
		c->network_mode = "bridge";
	if (strcmp(c->network_mode, "pasta") == 0 || strcmp(c->network_mode, "slirp4netns") == 0) {
		for (char *o; (o = strsep(&options, ",")) != NULL;)
			if (*o != '\0')
				spec_list_add(a, &c->network_options, o);
		return 0;
	}
	if (strcmp(c->network_mode, "bridge") != 0)
		return 0;
	if (is_mode(word))
		return options == NULL
			   ? 0
			   : attach(c, in->d->conf->network_default_network, options, a, e);
	if (options != NULL)
		return attach(c, word, options, a, e);
	for (char *name; (name = strsep(&word, ",")) != NULL;)
		if (attach(c, name, NULL, a, e) < 0)
			return -1;
	return 0;
}

static int
read_networks(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct strv *l = &in->o->network;

	if (l->n == 0) {
		char *word = arena_strdup(a, default_mode(in));

		return first_network(in, c, word, a, e);
	}
	if (first_network(in, c, arena_strdup(a, l->v[0]), a, e) < 0)
		return -1;
	for (size_t i = 1; i < l->n; i++) {
		const char *word = l->v[i];

		if (strcmp(c->network_mode, "bridge") != 0)
			return err_set(e, ERR_INVALID,
			    "can only set extra network names, selected mode %s conflicts with "
			    "bridge: invalid argument",
			    c->network_mode);
		if (is_mode(word))
			return err_set(e, ERR_INVALID,
			    "can only set extra network names, selected mode %s conflicts with "
			    "bridge: invalid argument",
			    word);
		if (spec_network_join(word, c, a, e) < 0)
			return -1;
	}
	return 0;
}

/* --ip, --ip6, --mac-address, --network-alias go to the networks joined. */
static int
read_static(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const char *const addresses[] = {o->ip, o->ip6};
	bool any = o->ip != NULL || o->ip6 != NULL || o->mac_address != NULL;

	if (!any && o->network_alias.n == 0)
		return 0;
	if (strcmp(c->network_mode, "bridge") != 0)
		return err_set(e, ERR_INVALID,
		    "networks and static ip/mac address can only be used with Bridge mode "
		    "networking");
	if (c->networks.n == 0 && attach(c, in->d->conf->network_default_network, NULL, a, e) < 0)
		return -1;
	if (any && c->networks.n > 1)
		return err_set(e, ERR_INVALID,
		    "%s can only be set for a single network: invalid argument",
		    o->ip != NULL    ? "--ip"
		    : o->ip6 != NULL ? "--ip6"
				     : "--mac-address");
	for (size_t i = 0; i < COUNTOF(addresses); i++) {
		if (addresses[i] == NULL)
			continue;
		if (family_of(addresses[i]) != (i == 0 ? AF_INET : AF_INET6))
			return err_set(e, ERR_INVALID, "\"%s\" is not an ip address", addresses[i]);
		spec_list_add(a, &c->networks.v[0].static_ips, addresses[i]);
	}
	if (o->mac_address != NULL) {
		if (check_mac(o->mac_address, e) < 0)
			return -1;
		c->networks.v[0].static_mac = o->mac_address;
	}
	for (size_t i = 0; i < c->networks.n; i++)
		spec_list_add_all(a, &c->networks.v[i].aliases, &o->network_alias);
	return 0;
}

/* NAME[;NAME…]:ADDRESS, where the address may hold colons. */
static int
check_add_host(const char *word, bool has_host, struct err *e)
{
	size_t n = strcspn(word, ":=");
	const char *address = word + n + 1;

	if (n == 0 || word[n] == '\0' || *address == '\0' || strpbrk(word, " \t\n") != NULL)
		return err_set(e, ERR_INVALID, "bad format for add-host: \"%s\"", word);
	if (strcmp(address, "host-gateway") == 0 && !has_host)
		return err_set(e, ERR_INVALID,
		    "unable to replace \"host-gateway\" of host entry \"%s\": host containers "
		    "internal IP address is empty",
		    word);
	if (strcmp(address, "host-gateway") == 0 || family_of(address) != AF_UNSPEC)
		return 0;
	return err_set(e, ERR_INVALID, "invalid IP address in add-host: \"%s\"", address);
}

/* A word that becomes part of a line of resolv.conf. */
static int
check_dns_option(const char *word, struct err *e)
{
	if (*word == '\0' || strpbrk(word, " \t\r\n") != NULL)
		return err_set(e, ERR_INVALID, "invalid DNS option \"%s\"", word);
	return 0;
}

/* RFC 1123, section 2.1, and at least one letter; "." stands for no domain at all. */
static int
check_domain(const char *word, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	bool good = word[strcspn(word, letters)] != '\0' && strlen(word) <= DOMAIN_MAX;

	if (strcmp(word, ".") == 0)
		return 0;
	for (const char *s = word; good && *s != '\0';) {
		size_t n = strspn(s, set);

		good = n > 0 && *s != '-' && s[n - 1] != '-' && (s[n] == '.' || s[n] == '\0');
		s += n + (s[n] == '.');
	}
	return good ? 0 : err_set(e, ERR_INVALID, "%s is not a valid domain", word);
}

static int
read_dns(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct containers_conf *conf = in->d->conf;
	bool given = o->dns.n + o->dns_option.n + o->dns_search.n > 0;
	const struct strv *servers = o->dns.n > 0 ? &o->dns : &conf->containers_dns_servers;
	const struct strv *search =
	    o->dns_search.n > 0 ? &o->dns_search : &conf->containers_dns_searches;
	const struct strv *options =
	    o->dns_option.n > 0 ? &o->dns_option : &conf->containers_dns_options;

	if (given && (strcmp(c->network_mode, "none") == 0 ||
			 text_has_prefix(c->network_mode, "container:")))
		return err_set(e, ERR_INVALID, "conflicting options: dns and the network mode: %s",
		    c->network_mode);
	for (size_t i = 0; i < servers->n; i++) {
		if (strcmp(servers->v[i], "none") == 0) {
			c->no_resolv = true;
			if (servers->n > 1)
				return err_set(e, ERR_INVALID,
				    "none is not allowed to be specified with other DNS ip "
				    "addresses");
		} else if (family_of(servers->v[i]) == AF_UNSPEC) {
			return err_set(e, ERR_INVALID, "%s is not an ip address", servers->v[i]);
		}
	}
	for (size_t i = 0; i < search->n; i++)
		if (check_domain(search->v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < options->n; i++)
		if (check_dns_option(options->v[i], e) < 0)
			return -1;
	if (!c->no_resolv)
		spec_list_add_all(a, &c->dns_servers, servers);
	spec_list_add_all(a, &c->dns_search, search);
	spec_list_add_all(a, &c->dns_options, options);
	return 0;
}

static int
check_hostname(const char *s, struct err *e)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (*s == '\0' || strlen(s) > DOMAIN_MAX || s[strspn(s, set)] != '\0')
		return err_set(e, ERR_INVALID, "invalid hostname \"%s\": invalid argument", s);
	return 0;
}

/* FILE, image or none; of the option or of containers.conf. */
static int
read_hosts_file(const char *word, const struct spec_input *in, struct rec_ctr_config *c,
    struct arena *a, struct err *e)
{
	bool is_file = strcmp(word, "image") != 0 && strcmp(word, "none") != 0;

	/* It is read at each start, wherever that is said. */
	c->hosts_file = is_file && *word != '/' ? arena_printf(a, "%s/%s", in->d->cwd, word) : word;
	return !is_file || access(c->hosts_file, F_OK) == 0 ? 0
							    : err_sys(e, "open %s", c->hosts_file);
}

static int
read_names(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const char *base = in->d->conf->containers_base_hosts_file;
	const char *host = in->d->conf->containers_host_containers_internal_ip;
	bool has_host = strcmp(c->network_mode, "none") != 0 || *host != '\0';

	if (o->no_hosts == 1 && o->add_host.n > 0)
		return err_set(e, ERR_INVALID, "--no-hosts and --add-host cannot be set together");
	if (o->no_hosts == 1 && o->hosts_file != NULL)
		return err_set(
		    e, ERR_INVALID, "--no-hosts and --hosts-file cannot be set together");
	if (text_has_prefix(c->network_mode, "container:") && o->add_host.n > 0)
		return err_set(e, ERR_INVALID,
		    "cannot set extra host entries when the container is joined to another "
		    "containers network namespace: invalid configuration");
	if (o->hostname != NULL && *o->hostname != '\0') {
		if (check_hostname(o->hostname, e) < 0)
			return -1;
		c->hostname = o->hostname;
	}
	for (size_t i = 0; i < o->add_host.n; i++)
		if (check_add_host(o->add_host.v[i], has_host, e) < 0)
			return -1;
	spec_list_add_all(a, &c->add_hosts, &o->add_host);
	c->no_hosts = o->no_hosts < 0 ? in->d->conf->containers_no_hosts : o->no_hosts == 1;
	c->no_hostname = o->no_hostname;
	if (o->hosts_file != NULL && *o->hosts_file != '\0')
		base = o->hosts_file;
	return *base != '\0' ? read_hosts_file(base, in, c, a, e) : 0;
}

int
spec_network_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	if (read_networks(in, c, a, e) < 0 || read_static(in, c, a, e) < 0 ||
	    read_dns(in, c, a, e) < 0)
		return -1;
	return read_names(in, c, a, e);
}
