/* SPDX-License-Identifier: ISC */
/*
 * System-call filters, as programs of classic BPF.
 */
#ifndef POD_BPF_H
#define POD_BPF_H

#include <linux/filter.h>
#include <stddef.h>

/*
 * Writes to out a filter that answers as the one of n instructions does, whatever architecture, call and arguments.
 * A library compares the number of a call with each call that it was told; here only the limits between ranges of
 * calls with one answer are compared, so the kernel has less to check, translate and run for each process.
 *
 * Returns the number of instructions, at most max; 0 if the program has a form that is not known here or would not
 * become shorter: then the original is the one to use.
 */
size_t bpf_compact(const struct sock_filter *in, size_t n, struct sock_filter *out, size_t max);

#endif
