/* SPDX-License-Identifier: ISC */
/* Build-time generator: writes pod-privileges(7) from the role and system-call tables. */
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include "common/role/caps.h"
#include "common/role/role.h"

static const struct {
	unsigned group;
	const char *name;
} calls[] = {
#define CALL(group, name) {group, #name},
#define WHEN(group, name, arg, mask, value) {group, #name},
#define REFUSE(group, name)
#include "common/role/syscall.def"
};

static const struct {
	unsigned group;
	const char *name, *doc;
} groups[] = {
    {SYS_BASE, "base", "memory, clocks, streams and sockets that are open already"},
    {SYS_FILE, "file", "open, list, rename and remove files"},
    {SYS_CREATE, "create", "make nodes, owners, modes and extended attributes"},
    {SYS_MOUNT, "mount", "the mount interface"},
    {SYS_NET, "net", "make, bind and connect sockets"},
    {SYS_NS, "ns", "enter namespaces"},
    {SYS_SPAWN, "spawn", "start and end programs"},
    {SYS_ENTER, "enter", "what they need to enter their own role"},
    {SYS_TTY, "tty", "set terminals"},
    {SYS_THREAD, "thread", "start a thread"},
    {SYS_TUN, "tun", "make a tap device and set it up"},
};

static const char head[] =
    ".\\\" SPDX-License-Identifier: ISC\n"
    ".\\\" Generated from common/role/role.def and syscall.def.\n"
    ".Dd $Mdocdate$\n.Dt POD-PRIVILEGES 7\n.Os\n"
    ".Sh NAME\n.Nm pod-privileges\n.Nd what each program of the pod suite may do\n"
    ".Sh DESCRIPTION\n"
    "Each program of the suite gives up all it does not need before it looks at foreign bytes.\n"
    "This page is made from the table that the programs themselves obey.\n"
    "Everywhere else but in\n.Nm pod-run\nand\n.Nm pod-monitor ,\n"
    "which start foreign programs with the caller's power, a program is not dumpable, cannot gain\n"
    "privileges by\n.Xr execve 2 ,\n"
    "holds no capability in its inheritable and ambient sets, and is ended by the kernel on a\n"
    "system call outside its groups\n.Pq programs of the group spawn get an error instead .\n";

static const char *const views[] = {[ROLE_VIEW_ALL] = "the file system as it is",
    [ROLE_VIEW_NONE] = "an empty read-only directory",
    [ROLE_VIEW_RESOLVER] = "copies of the files that name resolution reads",
    [ROLE_VIEW_PROGRAMS] = "the programs below /usr, read-only, and an empty /tmp",
    [ROLE_VIEW_FD] = "the one directory it is handed",
    [ROLE_VIEW_FD_READ] = "the one directory it is handed, read-only"};

static void
print_caps(uint64_t caps)
{
	const char *sep = "";

	if (caps == CAPS_ALL) {
		puts("those of the caller.");
		return;
	}
	if (caps == 0)
		fputs("none", stdout);
	for (int i = 0; i <= CAP_LAST_CAP; i++) {
		char *name;

		if (!(caps >> i & 1))
			continue;
		name = cap_to_name(i);
		printf("%s%s", sep, name);
		sep = ", ";
		cap_free(name);
	}
	puts(".");
}

static void
print_role(const struct role_info *r)
{
	const char *sep = "";

	printf(".Ss %s\n.Nm %s :\n%s.\n.Bl -tag -width Ds\n", r->name, r->program, r->doc);
	printf(".It Identity\n%s\n", r->identity == ROLE_KEEP
					 ? "that of the caller."
					 : "65534, or the caller's without capabilities where a "
					   "user namespace does not map it.");
	puts(".It Capabilities");
	print_caps(r->caps);
	printf(".It File system\n%s.\n", views[r->view]);
	puts(".It System calls");
	if (r->calls & SYS_ANY)
		fputs("all", stdout);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!(r->calls & SYS_ANY) && (r->calls & groups[i].group)) {
			printf("%s%s", sep, groups[i].name);
			sep = ", ";
		}
	puts(".");
	printf(".It Network\n%s\n", r->calls & (SYS_NET | SYS_ANY) ? "yes." : "none.");
	if (r->open_files != 0)
		printf(".It Open files\nat most %u.\n", r->open_files);
	printf(".It Libraries\n%s.\n.El\n", r->libraries);
}

int
main(void)
{
	fputs(head, stdout);
	puts(".Sh ROLES");
	for (int i = 0; i < ROLE_COUNT; i++)
		print_role(role_info((enum role)i));
	puts(".Sh SYSTEM CALL GROUPS\n.Bl -tag -width Ds");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const char *last = "";

		printf(".It %s\n%s:\n", groups[i].name, groups[i].doc);
		for (size_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++)
			if (calls[k].group == groups[i].group && strcmp(calls[k].name, last) != 0)
				printf("%s\n", last = calls[k].name);
	}
	puts(".El\n.Sh SEE ALSO\n.Xr pod 1 ,\n.Xr pod-protocol 7");
	return 0;
}
