/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/creds.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"

/* Until a line was typed, or a signal came that is held back. */
static void
wait_for_line(const sigset_t *held)
{
	own_fd int signals = signalfd(-1, held, SFD_CLOEXEC);
	struct pollfd p[2] = {
	    {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	poll(p, 2, -1);
}

static ssize_t
read_hidden(char **line, size_t *size, const struct termios *old)
{
	struct termios quiet = *old;
	sigset_t held, before, come;
	bool ended = false;
	ssize_t n = -1;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGQUIT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
	wait_for_line(&held);
	sigpending(&come);
	for (int s = 1; s < NSIG; s++)
		ended = ended || (sigismember(&held, s) == 1 && sigismember(&come, s) == 1);
	if (!ended)
		n = getline(line, size, stdin);
	tcsetattr(STDIN_FILENO, TCSADRAIN, old);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return n;
}

char *
creds_ask(FILE *to, const char *question, bool secret)
{
	char *line = NULL;
	size_t size = 0;
	struct termios old;
	bool hide = secret && tcgetattr(STDIN_FILENO, &old) == 0;
	ssize_t n;

	fprintf(to, "%s: ", question);
	fflush(to);
	n = hide ? read_hidden(&line, &size, &old) : getline(&line, &size, stdin);
	if (hide)
		fputc('\n', to);
	if (n == -1) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

void
creds_wipe(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

/* The questions are on standard error: standard output is for what was pulled. */
int
creds_complete(const char *given, char **out, struct err *e)
{
	const char *colon = strchr(given, ':');
	own_mem char *user = xstrndup(given, strcspn(given, ":"));
	own(creds_wipe) char *password = xstrdup(colon != NULL ? colon + 1 : "");
	struct termios t;

	if (*user != '\0' && *password != '\0')
		return 0;
	if (*password == '\0' && tcgetattr(STDIN_FILENO, &t) == -1)
		return err_sys(e, "could not read password from terminal");
	if (*user == '\0') {
		free(user);
		user = creds_ask(stderr, "Username", false);
	}
	if (user == NULL || *user == '\0')
		return err_set(e, ERR_INVALID, "credentials can't be empty");
	if (*password == '\0') {
		free(password);
		password = creds_ask(stderr, "Password", true);
	}
	if (password == NULL)
		return err_set(e, ERR_CANCELLED, "could not read password from terminal: EOF");
	*out = xasprintf("%s:%s", user, password);
	return 0;
}
