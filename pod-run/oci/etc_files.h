/* SPDX-License-Identifier: ISC */
/*
 * The files of the bundle that the engine mounts into a container: hosts, resolv.conf, hostname,
 * .containerenv.
 */
#ifndef POD_ETC_FILES_H
#define POD_ETC_FILES_H

#include "common/wire/msg.h"

/* The network side as far as the files need it.  Everything is borrowed. */
struct etc_net {
	bool own_netns; /* not the host's: loopback resolvers of the host are of no use */
	bool pasta;
	const struct rec_net_interface *interfaces;
	size_t interfaces_n;
	struct strs dns_servers, dns_search; /* from pod-net */
	const char *host_address; /* host.containers.internal; NULL: unknown, "": to be none */
};

/* That address: what host_containers_internal_ip says, else as it was found. */
const char *etc_files_host_address(const char *configured, const char *found);

/* Which of the files c wants; the mounts of config.json follow the same rules. */
#define ETC_HOSTS 1u
#define ETC_RESOLV 2u
#define ETC_HOSTNAME 4u
#define ETC_CONTAINERENV 8u
#define ETC_LOCALTIME 16u
#define ETC_USUAL (ETC_HOSTS | ETC_RESOLV | ETC_HOSTNAME | ETC_CONTAINERENV)
unsigned etc_files_wanted(const struct rec_ctr_config *c);

/* The host name in the container (BEHAVIOURS: given, else the host's for uts=host, else the short
 * ID). */
void etc_files_hostname(const struct rec_ctr_config *c, const char *id, char out[256]);

void etc_files_hosts(const struct rec_ctr_config *c, const char *name, const char *hostname,
    const struct etc_net *net, const char *base, struct strbuf *out);
void etc_files_resolv(const struct rec_ctr_config *c, const struct etc_net *net, const char *base,
    struct strbuf *out);

/*
 * Writes all of them into the bundle directory.  c->hosts_file "image" is not known here: the
 * caller passes rootfs, the container's root, or -1.
 */
int etc_files_write(int bundle, const struct rec_ctr_config *c, const char *id, const char *name,
    const struct etc_net *net, int rootfs, bool rootless, struct err *e);

/*
 * For a container that runs and whose network changed: lines of addresses it lost go out of its hosts
 * file, those of new ones come in, and the rest stays; resolv.conf is made anew.
 */
int etc_files_change(int bundle, const struct rec_ctr_config *c, const char *id, const char *name,
    const struct etc_net *before, const struct etc_net *after, struct err *e);

#endif
