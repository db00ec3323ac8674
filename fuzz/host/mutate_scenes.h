/* SPDX-License-Identifier: MIT */
/*
 * mutate_scenes.h - several operations at once, that together do something
 * which single insertions would take long to come by.
 *
 * Each returns false if it has no place in the program, which is then as it
 * was.
 */
#ifndef FUZZ_HOST_MUTATE_SCENES_H
#define FUZZ_HOST_MUTATE_SCENES_H

#include "fuzz/host/mutate_edit.h"

/* A lane forks another one that makes a few calls. */
bool scene_branch(struct edit *e);
/* Two lanes or more wait for each other. */
bool scene_meet(struct edit *e);
/* Two lanes meet, and then do to the same thing what does not go together. */
bool scene_collide(struct edit *e);
/* The kernel writes for one process to a page that another one shares. */
bool scene_copyout(struct edit *e);
/* A page is handed down a line of processes, and all of them write to it. */
bool scene_chain(struct edit *e);
/* A lane takes much memory and then needs more for a child. */
bool scene_exhaust(struct edit *e);

#endif
