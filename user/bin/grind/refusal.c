/* SPDX-License-Identifier: MIT */
/* refusal.c - calls that must fail, and leave everything as it is. */
#include "user/bin/grind/grind.h"

void
op_badfd(void)
{
	static const int list[] = {-1, NOFILE, NOFILE + 1, 1 << 30, -(1 << 30)};
	int fd = list[draw(sizeof(list) / sizeof(list[0]))];
	struct stat st;

	expect("read", read(fd, buf, 1), -1);
	expect("write", write(fd, buf, 1), -1);
	expect("close", close(fd), -1);
	expect("dup", dup(fd), -1);
	expect("fstat", fstat(fd, &st), -1);
	expect("kill", kill(0x7fffffff), -1);
	expect("wait", wait(0), -1);
}

void
op_badptr(void)
{
	static const uint64 list[] = {
		KERNBASE, TRAPFRAME, TRAMPOLINE, MAXVA, 1UL << 63, ~(uint64)0};
	void *bad = (void *)list[draw(sizeof(list) / sizeof(list[0]))];
	int fd, fds[2];

	expect("open", open(bad, O_RDONLY), -1);
	expect("unlink", unlink(bad), -1);
	expect("link", link(bad, "a"), -1);
	expect("mkdir", mkdir(bad), -1);
	expect("chdir", chdir(bad), -1);
	expect("mknod", mknod(bad, 1, 0), -1);
	expect("exec", exec(bad, (char **)bad), -1);
	expect("exec arguments", exec("/echo", (char **)bad), -1);
	fd = open(".", O_RDONLY);
	if (lacks(fd))
		return;
	expect("fstat", fstat(fd, bad), -1);
	close(fd);
	expect("pipe", pipe(bad), -1);
	if (lacks(pipe(fds)))
		return;
	if (write(fds[1], bad, 1) > 0) /* xv6 says 0, and not -1 */
		fail("write", 1, -1);
	close(fds[0]);
	expect("write without a reader", write(fds[1], buf, 1), -1);
	close(fds[1]);
}
