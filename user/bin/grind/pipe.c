/* SPDX-License-Identifier: MIT */
/* pipe.c - a pipe between two processes; each byte tells its place. */
#include "user/bin/grind/grind.h"

static uchar
pipe_byte(uint64 key, int i)
{
	return mix(key + i);
}

static void __attribute__((noreturn)) write_pipe(int fd, uint64 key, int total)
{
	for (int i = 0; i < total;) {
		int n = 1 + draw(CALL_MAX);

		if (n > total - i)
			n = total - i;
		for (int k = 0; k < n; k++)
			buf[k] = pipe_byte(key, i + k);
		expect("write to a pipe", write(fd, buf, n), n);
		i += n;
	}
	exit(0);
}

/* What goes into a pipe comes out of it, here into pages shared by fork. */
void
op_pipe(void)
{
	uchar *to = (uchar *)arena + draw(sizeof(arena) - CALL_MAX);
	int total = draw(3000);
	uint64 key = mix(rng);
	int sum = 0;
	int fds[2];
	int pid, n;

	if (lacks(pipe(fds)))
		return;
	pid = fork();
	if (pid == 0)
		write_pipe(fds[1], key, total);
	close(fds[1]);
	while (pid > 0 && (n = read(fds[0], to, 1 + draw(CALL_MAX))) != 0) {
		if (n < 0)
			fail("read from a pipe", n, total - sum);
		for (int k = 0; k < n; k++)
			expect("byte of a pipe", to[k],
				pipe_byte(key, sum + k));
		sum += n;
	}
	close(fds[0]);
	stamp_arena(key);
	if (lacks(pid))
		return;
	expect("bytes of a pipe", sum, total);
	expect_child(pid, 0);
}
