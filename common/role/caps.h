/* SPDX-License-Identifier: ISC */
/* The words that role.def uses, for those who expand it. */
#ifndef POD_CAPS_H
#define POD_CAPS_H

#include <sched.h>
#include <stdint.h>

#include <linux/capability.h>

#define CAP(x) (UINT64_C(1) << CAP_##x)
#define CAPS_ALL UINT64_MAX
#define KEEP ROLE_KEEP
#define NOBODY ROLE_NOBODY
#define VIEW_ALL ROLE_VIEW_ALL
#define VIEW_NONE ROLE_VIEW_NONE
#define VIEW_RESOLVER ROLE_VIEW_RESOLVER
#define VIEW_PROGRAMS ROLE_VIEW_PROGRAMS
#define VIEW_FD ROLE_VIEW_FD
#define VIEW_FD_READ ROLE_VIEW_FD_READ

#endif
