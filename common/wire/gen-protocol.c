/* SPDX-License-Identifier: ISC */
/* Build-time generator: writes pod-protocol(7) from the message tables. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/wire/peer.h"

static const char *const type_names[] = {[WIRE_STR] = "string",
    [WIRE_BIN] = "bytes",
    [WIRE_U64] = "unsigned number",
    [WIRE_I64] = "number",
    [WIRE_BOOL] = "truth value",
    [WIRE_STRS] = "list of strings",
    [WIRE_REC] = "record",
    [WIRE_RECS] = "list of records",
    [WIRE_FD] = "descriptor"};
static const char *const fd_names[] = {[FD_ANY] = "any",
    [FD_FILE] = "regular file",
    [FD_DIR] = "directory",
    [FD_STREAM] = "stream",
    [FD_SOCKET] = "socket",
    [FD_NS] = "namespace"};

static const char head[] =
    ".\\\" SPDX-License-Identifier: ISC\n"
    ".\\\" Generated from common/wire/*.def.\n"
    ".Dd $Mdocdate$\n.Dt POD-PROTOCOL 7\n.Os\n"
    ".Sh NAME\n.Nm pod-protocol\n.Nd messages between the programs of the pod suite\n"
    ".Sh DESCRIPTION\n"
    "The programs of the suite talk over\n.Xr unix 7\nsockets of type\n.Dv SOCK_SEQPACKET .\n"
    "Each packet is one msgpack array of five members: the protocol version\n.Pq %d ,\n"
    "the number of the message, a sequence number, a mask of the fields that come as\n"
    "descriptors, and the body, which is a map from field names to values.\n"
    "A body of more than %u bytes travels in a sealed memory file, the last descriptor of the\n"
    "packet; the body is then nil.\n"
    "An answer has the sequence number of its request.\n"
    "A frame that is malformed, doubled, too large, sent by the wrong program or out of turn ends\n"
    "the connection.\n"
    "With\n.Ev POD_TRACE\nset to 1 each program prints the messages it sends and receives.\n";

/* Sentences become input lines of their own, and nothing in them is taken for a request. */
static void
print_text(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if ((*s == '.' || *s == ';') && s[1] == ' ') {
			putchar(*s);
			putchar('\n');
			while (s[1] == ' ')
				s++;
		} else {
			putchar(*s);
		}
	}
	putchar('\n');
}

static void
print_limits(const struct wire_field *f)
{
	if (f->type == WIRE_FD)
		printf(", %s", fd_names[f->fd_kind]);
	else if (f->type == WIRE_REC || f->type == WIRE_RECS)
		printf(", %s", f->rec->name);
	if (f->type == WIRE_STR || f->type == WIRE_BIN)
		printf(", at most %llu bytes", (unsigned long long)f->max);
	else if (f->type == WIRE_STRS || f->type == WIRE_RECS)
		printf(", at most %llu members", (unsigned long long)f->max);
	else if (f->type == WIRE_U64 && f->max != UINT64_MAX)
		printf(", at most %llu", (unsigned long long)f->max);
	printf(
	    ", %s%s", f->attr & REQ ? "required" : "optional", f->attr & SECRET ? ", secret" : "");
}

static void
print_senders(uint64_t mask)
{
	const char *sep = "";

	if (mask == FROM_ANY) {
		printf("any program");
		return;
	}
	for (int r = 0; r < ROLE_COUNT; r++)
		if (mask >> r & 1) {
			printf("%s%s", sep, role_info((enum role)r)->program);
			sep = ", ";
		}
}

static void
print_one(const struct wire_desc *d)
{
	printf(".Ss %s\n", d->name);
	print_text(d->doc);
	if (d->id != 0) {
		printf("Number 0x%04x, sent by ", d->id);
		print_senders(d->senders);
		if (strcmp(d->reply, "nothing") != 0)
			printf("; answered by %s", d->reply);
		if (d->deadline_ms != 0)
			printf(" within %u seconds", d->deadline_ms / 1000);
		puts(".");
	}
	if (d->nfields == 0)
		return;
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < d->nfields; i++) {
		const struct wire_field *f = &d->fields[i];

		printf(".It Va %s\n", f->name);
		printf("%c%s", toupper((unsigned char)type_names[f->type][0]),
		    type_names[f->type] + 1);
		print_limits(f);
		puts(".");
		print_text(f->doc);
	}
	puts(".El");
}

int
main(void)
{
	printf(head, PEER_VERSION, WIRE_FRAME_MAX);
	puts(".Sh MESSAGES");
	for (size_t i = 0; msg_all[i] != NULL; i++)
		if (msg_all[i]->id != 0)
			print_one(msg_all[i]);
	puts(".Sh RECORDS");
	for (size_t i = 0; msg_all[i] != NULL; i++)
		if (msg_all[i]->id == 0)
			print_one(msg_all[i]);
	puts(".Sh SEE ALSO\n.Xr pod 1 ,\n.Xr pod-privileges 7");
	return 0;
}
