/* SPDX-License-Identifier: ISC */
// objs: pod-net/addr.o pod-net/network.o pod-net/port.o pod-net/pasta.o pod-net/slirp.o pod-net/helper.o pod-net/netns.o pod-net/netlink.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/network_json.h"
#include "pod-net/network.h"
#include "pod-net/pasta.h"
#include "pod-net/port.h"
#include "pod-net/slirp.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "{\"name\": \"net1\", \"id\": \"" ID "\", \"driver\": \"bridge\""

static const char *
parse(const char *text, struct rec_network *n)
{
	static struct arena a;
	static struct err e;

	e = (struct err){0};
	return network_parse(text, strlen(text), "net1", n, &a, &e) == 0 ? NULL : e.text;
}

Test(network, whole)
{
	struct rec_network n;
	const char *bad = parse(HEAD
	    ", \"network_interface\": \"podman1\", \"created\": \"2026-01-02T15:04:05Z\","
	    "\"subnets\": [{\"subnet\": \"10.89.0.0/24\", \"gateway\": \"10.89.0.1\","
	    "\"lease_range\": {\"start_ip\": \"10.89.0.9\"}}, {\"subnet\": \"fd00::/64\"}],"
	    "\"routes\": [{\"destination\": \"10.1.0.0/16\", \"gateway\": \"10.89.0.5\", "
	    "\"metric\": 7}],"
	    "\"ipv6_enabled\": true, \"internal\": false, \"dns_enabled\": true,"
	    "\"network_dns_servers\": [\"9.9.9.9\"], \"labels\": {\"a\": \"b\"},"
	    "\"options\": {\"mtu\": \"1400\"}, \"ipam_options\": {\"driver\": \"host-local\"},"
	    "\"unknown\": [1, {}]}",
	    &n);
	own_json json_t *o = NULL;

	cr_assert_null(bad, "%s", bad);
	cr_assert_str_eq(n.interface, "podman1");
	cr_assert_eq(n.subnets.n, 2);
	cr_assert_str_eq(n.subnets.v[0].range_start, "10.89.0.9");
	cr_assert_null(n.subnets.v[1].gateway);
	cr_assert_eq(n.routes.v[0].metric, 7);
	cr_assert(n.ipv6 && n.dns && !n.internal);
	cr_assert_str_eq(n.options.v[0].value, "1400");
	o = network_json(&n);
	cr_assert_str_eq(json_string_value(json_object_get(o, "network_interface")), "podman1");
	cr_assert_eq(json_array_size(json_object_get(o, "subnets")), 2);
}

Test(network, refused)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"name\": \"net1\"}",
	    "{\"name\": \"net2\", \"id\": \"" ID "\", \"driver\": \"bridge\"}",
	    "{\"name\": \"net1\", \"id\": \"123\", \"driver\": \"bridge\"}",
	    HEAD ", \"subnets\": [{\"subnet\": \"10.89.0.0/24\", \"lease_range\": "
		 "{\"start_ip\": \"10.90.0.1\"}}]}",
	    HEAD ", \"subnets\": [{\"subnet\": \"10.89.0.0/24\", \"lease_range\": "
		 "{\"end_ip\": \"fd00::1\"}}]}",
	    HEAD ", \"subnets\": {}}", HEAD ", \"subnets\": [{}]}",
	    HEAD ", \"subnets\": [{\"subnet\": \"10.89.0.0\"}]}",
	    HEAD ", \"subnets\": [{\"subnet\": \"10.89.0.0/24\", \"gateway\": \"10.90.0.1\"}]}",
	    HEAD ", \"network_interface\": \"a-name-that-is-too-long\"}",
	    HEAD ", \"network_interface\": \"../x\"}", HEAD ", \"options\": {\"mtu\": 3}}",
	    HEAD ", \"network_dns_servers\": [\"x\"]}", HEAD ", \"internal\": 1}",
	    HEAD ", \"id\": \"" ID "\"}"};
	struct rec_network n;

	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_assert_not_null(parse(bad[i], &n), "%s", bad[i]);
}

Test(network, names)
{
	cr_assert(network_name_valid("podman"));
	cr_assert(network_name_valid("a_b.c-9"));
	cr_assert(!network_name_valid(""));
	cr_assert(!network_name_valid("-a"));
	cr_assert(!network_name_valid("a/b"));
	cr_assert(!network_name_valid(".."));
}

Test(network, the_default_needs_no_file)
{
	own_arena struct arena a = {0};
	struct network_default d = {0};
	struct rec_network n;
	struct err e = {0};

	cr_assert_eq(network_find("/nonexistent", &d, "podman", &n, &a, &e), 0);
	cr_assert_str_eq(n.interface, "podman0");
	cr_assert_str_eq(n.subnets.v[0].subnet, "10.88.0.0/16");
	cr_assert_eq(network_find("/nonexistent", &d, "2f259bab93aa", &n, &a, &e), 0);
	cr_assert_str_eq(n.name, "podman");
	cr_assert_eq(network_find("/nonexistent", &d, "nosuch", &n, &a, &e), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
}

Test(network, the_default_is_configured)
{
	static const char *const bad[] = {"", "10.1.2.0", "10.1.2.0/31", "10.1.2.0/33", "fd::/127"};
	own_arena struct arena a = {0};
	struct network_default d = {0};
	struct rec_network n;
	struct err e = {0};

	cr_assert_eq(network_default_name(&d, "../x", &e), -1);
	cr_assert_eq(network_default_name(&d, "mine", &e), 0);
	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_eq(network_default_subnet(&d, bad[i], &e), -1, "%s", bad[i]);
	cr_assert_eq(network_default_subnet(&d, "10.1.2.3/30", &e), 0);
	cr_assert_eq(network_find("/nonexistent", &d, "mine", &n, &a, &e), 0);
	cr_assert_str_eq(n.subnets.v[0].subnet, "10.1.2.0/30");
	cr_assert_str_eq(n.subnets.v[0].gateway, "10.1.2.1");
	cr_assert_not(n.ipv6);
	cr_assert_eq(network_default_subnet(&d, "fd00:5::/64", &e), 0);
	cr_assert_eq(network_find("/nonexistent", &d, "2f259bab93aa", &n, &a, &e), 0);
	cr_assert_str_eq(n.subnets.v[0].gateway, "fd00:5::1");
	cr_assert(n.ipv6);
	cr_assert_eq(network_find("/nonexistent", &d, "podman", &n, &a, &e), -1);
	network_default_free(&d);
}

Test(port, parse)
{
	own_arena struct arena a = {0};
	struct rec_port_map v[] = {{.host_port = 8080, .container_port = 80, .protocol = "tcp"},
	    {.host_ip = "0.0.0.0",
		.host_port = 1,
		.container_port = 2,
		.protocol = "udp",
		.range = 3},
	    {.host_ip = "::1", .host_port = 5, .container_port = 6, .protocol = "sctp"}};
	struct port_list l;
	struct err e = {0};

	cr_assert_eq(port_parse(v, 3, true, true, &l, &a, &e), 0);
	cr_assert_eq(l.n, 3);
	cr_assert(l.v[0].ipv4 && l.v[0].ipv6);
	cr_assert(l.v[1].ipv4 && !l.v[1].ipv6 && l.v[1].host.len == 0 && l.v[1].count == 3);
	cr_assert(!l.v[2].ipv4 && l.v[2].ipv6 && l.v[2].host.len == 16);
	cr_assert_eq(port_parse(v, 3, true, false, &l, &a, &e), 0);
	cr_assert_eq(l.n, 2, "no IPv6 in the container");
	v[0].protocol = "icmp";
	cr_assert_eq(port_parse(v, 1, true, true, &l, &a, &e), -1);
	v[0] = (struct rec_port_map){
	    .host_port = 65530, .container_port = 1, .range = 10, .protocol = "tcp"};
	cr_assert_eq(port_parse(v, 1, true, true, &l, &a, &e), -1);
}

static char *
joined(const char *help, const char *const *options, size_t n, const struct port_list *ports)
{
	struct strs o = {(const char **)(uintptr_t)options, n};
	struct pasta p = {.job = {.path = "pasta", .options = &o, .ports = ports}};
	own_strv struct strv argv = {0};
	struct strbuf b = {0};

	pasta_arguments(&p, help, "NS", "PID", &argv);
	for (size_t i = 0; i < argv.n; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? " " : "", argv.v[i]);
	return strbuf_take(&b);
}

Test(pasta, arguments)
{
	struct port v[] = {{.protocol = IPPROTO_TCP,
			       .host_port = 8080,
			       .container_port = 80,
			       .count = 1,
			       .ipv4 = true,
			       .ipv6 = true},
	    {.protocol = IPPROTO_UDP,
		.host_port = 53,
		.container_port = 153,
		.count = 2,
		.ipv4 = true}};
	static const char *const own[] = {"--mtu", "1400", "-T", "auto"};
	struct port_list none = {0}, two = {v, 2};
	own_mem char *a = joined("--netns", NULL, 0, &none);
	own_mem char *b = joined("--netns --dns-forward --map-guest-addr", own, 4, &two);

	cr_assert_str_eq(a, "pasta --config-net -t none -u none -T none -U none --no-map-gw -q "
			    "-P PID --netns NS");
	cr_assert_str_eq(b,
	    "pasta --config-net -t 8080-8080:80-80 -u 0.0.0.0/53-54:153-154 --mtu 1400 -T auto "
	    "-U none --no-map-gw --dns-forward 169.254.1.1 --map-guest-addr 169.254.1.2 -q "
	    "-P PID --netns NS");
}

Test(slirp, arguments)
{
	static const char *const good[] = {
	    "allow_host_loopback=true", "mtu=1400", "cidr=10.1.0.0/16"};
	static const char *const bad[] = {"colour=blue"};
	struct port_list none = {0};
	struct strs o = {(const char **)(uintptr_t)good, 3};
	struct slirp s = {.job = {.path = "slirp4netns", .options = &o, .ports = &none}};
	own_strv struct strv argv = {0}, other = {0};
	struct err e = {0};

	cr_assert_eq(slirp_arguments(&s, "NS", "SOCK", 3, 4, &argv, &e), 0);
	cr_assert_str_eq(argv.v[2], "--mtu=1400");
	cr_assert_eq(strv_find(&argv, "--disable-host-loopback"), argv.n);
	cr_assert(s.maps_host);
	cr_assert_str_eq(s.net.address, "10.1.0.100/16");
	cr_assert_str_eq(s.net.dns, "10.1.0.3");
	o = (struct strs){(const char **)(uintptr_t)bad, 1};
	cr_assert_eq(slirp_arguments(&s, "NS", "SOCK", 3, 4, &other, &e), -1);
	cr_assert_eq(e.class, ERR_UNSUPPORTED);
}
