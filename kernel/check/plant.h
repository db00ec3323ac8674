/* SPDX-License-Identifier: MIT */
/* plant.h - which planted bug this build has; see plants.def. */
#ifndef KERNEL_CHECK_PLANT_H
#define KERNEL_CHECK_PLANT_H

enum plant {
	PLANT_none,
#define PLANT_ROW(name, what) PLANT_##name,
#include "kernel/check/plants.def"
#undef PLANT_ROW
};

/* A constant: without the bug the compiler drops what it guards. */
#define PLANTED(name) (PLANT == PLANT_##name)

/*
 * PLANT=audit has many, of which boot argument plant= chooses one; see
 * audit_plants.def.  MISTAKEN: is it this one?  No code in other builds.
 */
enum mistake {
	MISTAKE_none,
#define SPOILED(name, finding, also)
#define CRASH(name, panic, audit, also)
#define MISTAKE(name, run, line, also) MISTAKE_##name,
#include "kernel/check/audit_plants.def"
#undef SPOILED
#undef CRASH
#undef MISTAKE
};
extern enum mistake mistake; /* fixed after boot */

#define MISTAKEN(name) (PLANTED(audit) && mistake == MISTAKE_##name)

void plant_init(void);  /* at boot: read the argument */
void plant_spoil(void); /* before an audit's checks */
void plant_mend(void);  /* after them */

#endif
