/* SPDX-License-Identifier: ISC */
#include "pod-net/dhcp/client.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <arpa/inet.h>

#define FIRST_WAIT_MS 1000
#define RETRY_MS 60000 /* the least time between two renewals (RFC 2131, section 4.4.5) */
#define LEASE_MIN_S 8
#define FOREVER UINT32_MAX

enum wait { WAIT_ANSWER, WAIT_NONE, WAIT_END };

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
is_set(const uint8_t a[4])
{
	return (a[0] | a[1] | a[2] | a[3]) != 0;
}

/* --- One message ---------------------------------------------------------------------------------- */

/* To all, or to the server whose answer has been seen.  What is lost is sent again later. */
static void
say(struct dhcp_client *c, struct dhcp_out *m, bool to_server)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_IP),
	    .sll_ifindex = c->index,
	    .sll_halen = 6};
	uint8_t packet[DHCP_PACKET_MAX];
	int64_t elapsed = (now_ms() - c->began_ms) / 1000;
	size_t n;

	m->xid = c->xid;
	m->elapsed_s = (uint16_t)(elapsed < UINT16_MAX ? elapsed : UINT16_MAX);
	memcpy(m->mac, c->mac, 6);
	memcpy(m->host_name, c->host_name, sizeof m->host_name);
	if (to_server) {
		memcpy(m->to, c->lease.server, 4);
		memcpy(to.sll_addr, c->server_mac, 6);
	} else {
		memset(to.sll_addr, 255, 6);
	}
	n = dhcp_build(m, packet);
	(void)!sendto(c->socket, packet, n, 0, (struct sockaddr *)&to, sizeof to);
}

/* Is it for us, and of those asked for? */
static bool
is_answer(const struct dhcp_client *c, const struct dhcp_in *m)
{
	return m->xid == c->xid && memcmp(m->mac, c->mac, 6) == 0 && is_set(m->server);
}

static bool
receive(struct dhcp_client *c, struct dhcp_in *m)
{
	uint8_t packet[DHCP_PACKET_MAX];
	struct sockaddr_ll from = {0};
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(c->socket, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC,
	    (struct sockaddr *)&from, &size);

	if (n <= 0 || (size_t)n > sizeof packet || dhcp_parse(packet, (size_t)n, m) != 0 ||
	    !is_answer(c, m))
		return false;
	if (from.sll_halen == 6)
		memcpy(c->server_mac, from.sll_addr, 6);
	return true;
}

/* Waits for a message to us; others do not prolong it. */
static enum wait
await(struct dhcp_client *c, int64_t until, struct dhcp_in *m)
{
	struct pollfd p[] = {{c->socket, POLLIN, 0}, {c->end, POLLIN, 0}};

	for (;;) {
		int64_t left = until - now_ms();

		if (left <= 0)
			return WAIT_NONE;
		if (poll(p, 2, left > INT32_MAX ? INT32_MAX : (int)left) < 0 && errno != EINTR)
			return WAIT_END;
		if (p[1].revents != 0)
			return WAIT_END;
		/* The interface is down or has gone: no use in asking at once again. */
		if (p[0].revents & (POLLERR | POLLHUP | POLLNVAL)) {
			int none;
			socklen_t size = sizeof none;

			(void)getsockopt(c->socket, SOL_SOCKET, SO_ERROR, &none, &size);
			if (poll(&p[1], 1, 1000) > 0)
				return WAIT_END;
		}
		if ((p[0].revents & POLLIN) && receive(c, m))
			return WAIT_ANSWER;
	}
}

/* --- Getting a lease ------------------------------------------------------------------------------ */

/* A lease we can live with: an address and a mask; times that make sense are made of what is missing. */
static bool
accept_lease(struct dhcp_client *c, const struct dhcp_in *m)
{
	struct dhcp_in l = *m;

	if (!is_set(l.address) || l.address[0] == 127 || l.address[0] >= 224)
		return false;
	if (!is_set(l.mask) || dhcp_mask_bits(l.mask) < 1)
		memcpy(l.mask, "\xff\xff\xff\x00", 4);
	if (l.lease_s == 0)
		l.lease_s = 3600;
	if (l.lease_s < LEASE_MIN_S)
		l.lease_s = LEASE_MIN_S;
	/* RFC 2131, section 4.4.5. */
	if (l.rebind_s == 0 || l.rebind_s >= l.lease_s)
		l.rebind_s = l.lease_s / 8 * 7;
	if (l.renew_s == 0 || l.renew_s > l.rebind_s)
		l.renew_s = l.lease_s / 2 < l.rebind_s ? l.lease_s / 2 : l.rebind_s;
	c->lease = l;
	c->leased_ms = now_ms();
	return true;
}

/* Takes an offer.  WAIT_NONE: start again. */
static enum wait
request(struct dhcp_client *c, const struct dhcp_in *offer, int64_t until)
{
	struct dhcp_out m = {.type = DHCP_REQUEST};
	struct dhcp_in in;
	enum wait r;

	memcpy(m.wanted, offer->address, 4);
	memcpy(m.server, offer->server, 4);
	say(c, &m, false);
	while ((r = await(c, until, &in)) == WAIT_ANSWER) {
		if (memcmp(in.server, offer->server, 4) != 0)
			continue;
		if (in.type == DHCP_NAK)
			return WAIT_NONE;
		if (in.type == DHCP_ACK && memcmp(in.address, offer->address, 4) == 0 &&
		    accept_lease(c, &in))
			return WAIT_ANSWER;
	}
	return r;
}

/* One round from the beginning; only wants another address than c->wanted if may_differ. */
static enum wait
discover(struct dhcp_client *c, int64_t wait, bool may_differ)
{
	struct dhcp_out m = {.type = DHCP_DISCOVER};
	int64_t until = now_ms() + wait;
	struct dhcp_in in;
	enum wait r;

	if (getrandom(&c->xid, sizeof c->xid, 0) != sizeof c->xid)
		return WAIT_END;
	memcpy(m.wanted, c->wanted, 4);
	say(c, &m, false);
	while ((r = await(c, until, &in)) == WAIT_ANSWER)
		if (in.type == DHCP_OFFER && is_set(in.address) &&
		    (may_differ || memcmp(in.address, c->wanted, 4) == 0))
			return request(c, &in, now_ms() + wait);
	return r;
}

int
dhcp_client_get(struct dhcp_client *c, int limit_ms, struct err *e)
{
	int64_t until, wait = FIRST_WAIT_MS;

	c->began_ms = now_ms();
	until = c->began_ms + limit_ms;
	while (now_ms() < until) {
		int64_t left = until - now_ms();
		enum wait r = discover(c, wait < left ? wait : left, !is_set(c->wanted));

		if (r == WAIT_ANSWER)
			return 0;
		if (r == WAIT_END)
			break;
		wait *= 2;
	}
	return err_set(e, ERR_TIMEOUT, "no DHCP server gave %s within %d seconds",
	    is_set(c->wanted) ? "the address that was asked for" : "an address", limit_ms / 1000);
}

/* --- Keeping it ----------------------------------------------------------------------------------- */

/* RENEWING and REBINDING: WAIT_NONE if there was no answer until then, WAIT_END also for a refusal. */
static enum wait
renew(struct dhcp_client *c, bool to_server, int64_t until, bool *refused)
{
	struct dhcp_out m = {.type = DHCP_REQUEST};
	struct dhcp_in in;
	enum wait r;

	c->began_ms = now_ms();
	if (getrandom(&c->xid, sizeof c->xid, 0) != sizeof c->xid)
		return WAIT_END;
	memcpy(m.client, c->lease.address, 4);
	say(c, &m, to_server);
	while ((r = await(c, until, &in)) == WAIT_ANSWER) {
		if (in.type == DHCP_NAK) {
			*refused = true;
			return WAIT_NONE;
		}
		if (in.type == DHCP_ACK && memcmp(in.address, c->lease.address, 4) == 0 &&
		    accept_lease(c, &in))
			return WAIT_ANSWER;
	}
	return r;
}

/* Until the lease has been renewed, refused or has run out. */
static enum wait
prolong(struct dhcp_client *c)
{
	int64_t rebind = c->leased_ms + (int64_t)c->lease.rebind_s * 1000;
	int64_t end = c->leased_ms + (int64_t)c->lease.lease_s * 1000;
	bool refused = false;

	while (!refused && now_ms() < end) {
		bool to_server = now_ms() < rebind;
		int64_t next = to_server ? rebind : end, half = (next - now_ms()) / 2;
		enum wait r;

		/* Half of what is left, but not too often (RFC 2131, section 4.4.5). */
		if (half < RETRY_MS)
			half = next - now_ms() < RETRY_MS ? next - now_ms() : RETRY_MS;
		if (half < 100)
			half = 100;
		r = renew(c, to_server, now_ms() + half, &refused);
		if (r != WAIT_NONE)
			return r;
	}
	/* Whatever was left of it. */
	c->leased_ms = now_ms() - (int64_t)c->lease.lease_s * 1000;
	return WAIT_NONE;
}

/* The lease is lost; the address is still the container's. */
static enum wait
regain(struct dhcp_client *c)
{
	struct dhcp_in none;
	enum wait r;

	memcpy(c->wanted, c->lease.address, 4);
	c->began_ms = now_ms();
	r = discover(c, 4000, false);
	return r == WAIT_NONE ? await(c, now_ms() + RETRY_MS, &none) : r;
}

void
dhcp_client_keep(struct dhcp_client *c)
{
	struct dhcp_out m = {.type = DHCP_RELEASE};
	struct dhcp_in none;

	for (;;) {
		int64_t at = c->lease.lease_s == FOREVER
				 ? INT64_MAX
				 : c->leased_ms + (int64_t)c->lease.renew_s * 1000;
		enum wait r;

		/* Nothing is expected meanwhile: answers to nobody's question are passed over. */
		while ((r = await(c, at, &none)) == WAIT_ANSWER)
			;
		if (r == WAIT_NONE)
			r = prolong(c);
		while (
		    r == WAIT_NONE && now_ms() - c->leased_ms >= (int64_t)c->lease.lease_s * 1000)
			r = regain(c);
		if (r == WAIT_END)
			break;
	}
	memcpy(m.client, c->lease.address, 4);
	memcpy(m.server, c->lease.server, 4);
	say(c, &m, true);
}
