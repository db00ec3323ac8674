/* SPDX-License-Identifier: MIT */
/*
 * user.h - what a program can call: the system calls of xv6, both of its
 * generations, and a small C library.  The kernel's own additions are in
 * user/stampede.h.  Like xv6's, this header expects kernel/types.h first.
 */
#ifndef USER_USER_H
#define USER_USER_H

#include "kernel/types.h"

#define SBRK_ERROR ((char *)-1)

struct stat;

/* System calls; each returns -1 on any error. */
int fork(void);
int exit(int) __attribute__((noreturn));
int wait(int *);
int pipe(int *);
int write(int, const void *, int);
int read(int, void *, int);
int close(int);
int kill(int);
int exec(const char *, char **);
int open(const char *, int);
int mknod(const char *, short, short);
int unlink(const char *);
int fstat(int, struct stat *);
int link(const char *, const char *);
int mkdir(const char *);
int chdir(const char *);
int dup(int);
int getpid(void);
char *sys_sbrk(int, int);
int sleep(int);
int pause(int);
int uptime(void);

/* user/lib */
int stat(const char *, struct stat *);
char *strcpy(char *, const char *);
void *memmove(void *, const void *, int);
char *strchr(const char *, char);
int strcmp(const char *, const char *);
void fprintf(int, const char *, ...) __attribute__((format(printf, 2, 3)));
void printf(const char *, ...) __attribute__((format(printf, 1, 2)));
char *gets(char *, int);
uint strlen(const char *);
void *memset(void *, int, uint);
int atoi(const char *);
int memcmp(const void *, const void *, uint);
void *memcpy(void *, const void *, uint);
void *malloc(uint);
void free(void *);
char *sbrk(int);
char *sbrklazy(int);

#endif
