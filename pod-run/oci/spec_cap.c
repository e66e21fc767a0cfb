/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_cap.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_list.h"

/* In the order of their numbers (capability.h of the kernel). */
static const char *const names[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
    "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
    "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
    "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"};

int
spec_cap_number(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (unsigned i = 0; i < COUNTOF(names); i++)
		if (strcasecmp(names[i] + 4, name) == 0)
			return (int)i;
	return -1;
}

const char *
spec_cap_name(unsigned number)
{
	return number < COUNTOF(names) ? names[number] : NULL;
}

uint64_t
spec_cap_bounding(void)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < COUNTOF(names); i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			mask |= (uint64_t)1 << i;
	return mask;
}

void
spec_cap_list(uint64_t mask, struct arena *a, struct strs *out)
{
	for (unsigned i = 0; i < COUNTOF(names); i++)
		if (mask >> i & 1)
			spec_list_add(a, out, names[i]);
	spec_list_sort(out);
}

uint64_t
spec_cap_mask(const struct strs *list)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < list->n; i++) {
		int number = spec_cap_number(list->v[i]);

		if (number >= 0)
			mask |= (uint64_t)1 << number;
	}
	return mask;
}

uint64_t
spec_cap_effective(const struct strs *added, uint64_t bounding, bool root)
{
	bool all = root;

	for (size_t i = 0; i < added->n; i++)
		all = all || strcmp(added->v[i], "ALL") == 0;
	return bounding & (all ? UINT64_MAX : spec_cap_mask(added));
}

/* Podman shows the kernel's spelling of what it was given. */
static int
unknown(const char *word, struct err *e)
{
	own_mem char *name =
	    xasprintf("%s%s", strncasecmp(word, "CAP_", 4) == 0 ? "" : "CAP_", word);

	for (char *s = name; *s != '\0'; s++)
		*s = (char)toupper((unsigned char)*s);
	return err_set(e, ERR_INVALID, "\"%s\": unknown capability", name);
}

/* The mask of the words and whether "all" is among them. */
static int
words_mask(const struct strv *words, uint64_t *mask, bool *all, struct err *e)
{
	*mask = 0;
	*all = false;
	for (size_t i = 0; i < words->n; i++) {
		int number = spec_cap_number(words->v[i]);

		if (strcasecmp(words->v[i], "all") == 0)
			*all = true;
		else if (number < 0)
			return unknown(words->v[i], e);
		else
			*mask |= (uint64_t)1 << number;
	}
	return 0;
}

int
spec_cap_merge(
    uint64_t base, const struct strv *add, const struct strv *drop, uint64_t *out, struct err *e)
{
	uint64_t added, dropped;
	bool add_all, drop_all;

	if (words_mask(add, &added, &add_all, e) < 0 ||
	    words_mask(drop, &dropped, &drop_all, e) < 0)
		return -1;
	if (drop_all) {
		if (add_all)
			return err_set(
			    e, ERR_INVALID, "adding all caps and removing all caps not allowed");
		*out = added;
		return 0;
	}
	if (!add_all && (added & dropped) != 0)
		return err_set(e, ERR_INVALID, "capability \"%s\" cannot be dropped and added",
		    names[__builtin_ctzll(added & dropped)]);
	*out = ((add_all ? spec_cap_bounding() : base) & ~dropped) | (add_all ? 0 : added);
	return 0;
}

int
spec_cap_normalise(const struct strv *words, struct arena *a, struct strs *out, struct err *e)
{
	for (size_t i = 0; i < words->n; i++) {
		int number = spec_cap_number(words->v[i]);

		if (strcasecmp(words->v[i], "all") == 0)
			spec_list_add(a, out, "ALL");
		else if (number < 0)
			return unknown(words->v[i], e);
		else
			spec_list_add(a, out, names[number]);
	}
	return 0;
}
