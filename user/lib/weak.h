/* SPDX-License-Identifier: MIT */
/*
 * weak.h - everything the library exports is weak: a program that defines,
 * say, a memcmp() of its own links, and gets its own.
 */
#ifndef USER_LIB_WEAK_H
#define USER_LIB_WEAK_H

#define WEAK __attribute__((weak))

#endif
