/* SPDX-License-Identifier: ISC */
/*
 * DNS messages (RFC 1035 section 4, RFC 6891 for the payload size): reading a query, writing an answer.
 * Nothing here allocates or does I/O.
 */
#ifndef POD_DNS_MESSAGE_H
#define POD_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pod-net/addr.h"

#define DNS_MESSAGE_MAX 65535u
#define DNS_UDP_MIN 512u  /* what every client takes (RFC 1035, 4.2.1) */
#define DNS_UDP_MAX 1232u /* never fragmented on a path of ours */
#define DNS_NAME_MAX 255u

enum dns_rcode { DNS_OK = 0, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED };
enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41, DNS_ANY = 255 };
enum dns_class { DNS_IN = 1 };

struct dns_query {
	uint16_t id;
	bool recursion, edns;
	uint16_t type, class;
	uint16_t udp_size;	     /* the answer may have so many bytes over UDP */
	size_t question_end;	     /* offset of the first byte after the question */
	char name[DNS_NAME_MAX + 1]; /* lower case, labels joined by '.', no final one */
	bool
	    plain; /* every byte of the name is a letter, a digit, '-', '_' or '.' between labels */
};

/*
 * DNS_OK and *q filled in, or what the answer has to say.  -1: no answer at all (no header, or an answer
 * itself).  After DNS_FORMERR and DNS_NOTIMP only id and recursion are set.
 */
int dns_query_parse(const uint8_t *p, size_t n, struct dns_query *q);

/* An answer that is being written. */
struct dns_reply {
	uint8_t *p;
	size_t n, max;
	uint16_t answers;
	bool cut, edns;
};

/*
 * Begins the answer to query (n bytes, parsed as q) in out, which holds max bytes, at least DNS_UDP_MIN.
 * The question is repeated if there is one that could be read.
 */
void dns_reply_begin(
    struct dns_reply *r, uint8_t *out, size_t max, const uint8_t *query, const struct dns_query *q);

/* Adds a record for the question's name.  What does not fit sets the mark that says so. */
void dns_reply_address(struct dns_reply *r, const struct addr *a);
void dns_reply_name(struct dns_reply *r, const char *name);

/* Returns the number of bytes. */
size_t dns_reply_end(struct dns_reply *r, enum dns_rcode rcode);

/* True if p is an answer to the question of query with that id; its code goes to *rcode. */
bool dns_is_answer(const uint8_t *p, size_t n, uint16_t id, const uint8_t *query,
    size_t question_end, enum dns_rcode *rcode);

/* The address that a name below in-addr.arpa or ip6.arpa stands for; false if it is none. */
bool dns_reverse(const char *name, struct addr *out);

#endif
