/* SPDX-License-Identifier: ISC */
#ifndef POD_REMOTE_CREATE_H
#define POD_REMOTE_CREATE_H

#include "pod-run/remote/command.h"
#include "pod-run/remote/spec.h"
#include "pod-run/remote/spec_ids.h"

/* Options of create and run that create_container heeds. */
#define CREATE_OPTIONS                                                                            \
	SPEC_OPTIONS "," SPEC_IDS_OPTIONS                                                         \
		     ",add-host,annotation,arch,attach,authfile,cap-add,cap-drop,cidfile,creds,"  \
		     "disable-content-trust,dns,dns-option,dns-search,entrypoint,env,env-host,"   \
		     "group-add,hostname,init,"                                                   \
		     "interactive,label,name,network,os,platform,privileged,publish,publish-all," \
		     "pull,quiet,read-only,replace,"                                              \
		     "restart,retry,retry-delay,rm,rmi,rootfs,stop-signal,stop-timeout,tls-"      \
		     "verify,tty,user,variant,workdir"

/* Makes a container of the words and options, after the image was pulled if need be; the ID is the caller's. */
int create_container(struct remote *r, const struct args *a, char **id, struct err *e);

/* "NAME=value" and "NAME", which is the caller's, as an object. */
json_t *create_env(const struct strv *words);

#endif
