/* SPDX-License-Identifier: ISC */
/*
 * Giving back memory that only the start needed: there is one pair of these processes for each
 * running container, and they sit idle.
 */
#ifndef POD_MONITOR_TRIM_H
#define POD_MONITOR_TRIM_H

/*
 * Once, early: keeps a reserve of heap, so that the small messages of later times come out of memory
 * that is there already and no allocation can fail while a container depends on the process.
 */
void trim_init(void);

/* Nothing has happened for so long since the start: what ends sooner would only need its pages again. */
#define TRIM_QUIET_MS 300

/* Returns unused pages of heap and stack; the reserve of addresses stays. */
void trim_now(void);

#endif
