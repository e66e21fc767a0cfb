/* SPDX-License-Identifier: ISC */
/*
 * Sizes and times in the words Podman uses.  Each writes to out (size bytes) and returns out.
 */
#ifndef POD_HUMAN_H
#define POD_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#define HUMAN_MAX 64

/* "4.261MB": factors of 1000, four significant digits (go-units HumanSize). */
char *human_size(double bytes, char *out, size_t size);
/* "4.26 MB": three digits and a space, as the table of images has it. */
char *human_size_spaced(double bytes, char *out, size_t size);
/* "4.06MiB": factors of 1024, four significant digits (go-units BytesSize). */
char *human_bytes(double bytes, char *out, size_t size);

/* "About an hour", "2 minutes", "Less than a second" (go-units HumanDuration). */
char *human_duration(int64_t seconds, char *out, size_t size);
/* The same followed by " ago". */
char *human_ago(int64_t then, int64_t now, char *out, size_t size);

/* Go's Duration.String(): "1h30m0s", "1.5s", "100ms", "0s". */
char *human_go_duration(int64_t ns, char *out, size_t size);

/* Instants are nanoseconds since 1970.  RFC 3339 with nanoseconds, zone local or UTC as "Z". */
char *human_rfc3339nano(int64_t ns, char *out, size_t size);
char *human_rfc3339nano_utc(int64_t ns, char *out, size_t size);
/* Go's Time.String(): "2006-01-02 15:04:05.999999999 -0700 MST". */
char *human_go_time(int64_t ns, char *out, size_t size);
/* RFC 3339 (with or without fraction) to nanoseconds.  Returns 0 or -1. */
int human_parse_rfc3339(const char *s, int64_t *out_ns);
/*
 * The same, but parts may be missing at the end: seconds, minutes, the time, the zone (then local).  A time before or
 * behind all that can be told in nanoseconds is the first or the last of these.
 */
int human_parse_date(const char *s, int64_t *out_ns);

#endif
