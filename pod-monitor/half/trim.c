/* SPDX-License-Identifier: ISC */
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pod-monitor/half/trim.h"

#define RESERVE (256 << 10)
#define STACK_LIVE 1024u	 /* below this frame: what the calls in here need */
#define STACK_DEPTH (256u << 10) /* deepest the start ever went */

/* Of the linker: the first byte of the program, and the end of its code. */
extern const char __executable_start, etext;

void
trim_init(void)
{
	mallopt(M_TOP_PAD, RESERVE);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
}

void
trim_now(void)
{
	char here;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t end = ((uintptr_t)&here - STACK_LIVE) & ~(page - 1);
	uintptr_t heap_end = (uintptr_t)sbrk(0) & ~(page - 1);
	uintptr_t text = ((uintptr_t)&__executable_start + page - 1) & ~(page - 1);
	uintptr_t free_from;

	malloc_trim(RESERVE);
	/*
	 * Safe because the last chunk of the heap is free, and its header, which is at its beginning,
	 * lies before the first whole page in it.
	 */
	free_from = (heap_end - mallinfo2().keepcost + 64 + page - 1) & ~(page - 1);
	if (free_from < heap_end)
		madvise((void *)free_from, heap_end - free_from, MADV_DONTNEED);
	/*
	 * Safe because nothing lives below the stack pointer; where the stack never reached there is
	 * no mapping, which the kernel passes over.
	 */
	madvise((void *)(end - STACK_DEPTH), STACK_DEPTH, MADV_DONTNEED);
	/*
	 * Of the program itself only what the loop touches comes back.  Safe because code is never
	 * written to, so that its pages are those of the file.
	 */
	madvise((void *)text, ((uintptr_t)&etext & ~(page - 1)) - text, MADV_DONTNEED);
}
