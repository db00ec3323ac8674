/* SPDX-License-Identifier: MIT */
/* string.h - memory and strings.  Word-wise; page_* are for whole pages. */
#ifndef KERNEL_LIB_STRING_H
#define KERNEL_LIB_STRING_H

#include "kernel/lib/base.h"

void *memset(void *dst, int c, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
/* strnlen: the same, but n if none of the first n bytes is a NUL. */
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* strlcpy: copy at most size - 1 bytes and a NUL; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

/* Both take pointers to page-aligned, whole pages. */
void page_zero(void *page);
void page_copy(void *dst, const void *src);

#endif
