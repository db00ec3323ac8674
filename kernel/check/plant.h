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

#endif
