/* SPDX-License-Identifier: MIT */
/* process.c - processes: fork, exec, kill, wait, and time. */
#include "user/bin/grind/grind.h"

enum { NO_EXEC = 99 };

/* Both sides of a fork write to the same pages, and see only their own. */
void
op_fork(void)
{
	int status = draw(100);
	uint64 mine = mix(rng);
	int pid = fork();

	if (lacks(pid))
		return;
	if (pid == 0) {
		check_arena("child's copy");
		stamp_arena(mine + 1);
		check_arena("child's own");
		exit(status);
	}
	check_arena("parent's copy");
	stamp_arena(mine);
	check_arena("parent's own");
	expect_child(pid, status);
	check_arena("parent's own, later");
}

/* An orphan ends when init has it; the pipe tells. */
void
op_orphan(void)
{
	int fds[2];
	int pid;

	if (lacks(pipe(fds)))
		return;
	pid = fork();
	if (pid == 0) {
		fork();
		exit(0);
	}
	close(fds[1]);
	if (!lacks(pid))
		expect_child(pid, 0);
	expect("end of a pipe", read(fds[0], buf, 1), 0);
	close(fds[0]);
}

static void __attribute__((noreturn)) hang(uint how)
{
	volatile int forever = 1;
	int fds[2];
	char c;

	if (how == 0 && pipe(fds) == 0)
		read(fds[0], &c, 1);
	if (how == 1)
		sleep(1000000);
	while (forever)
		continue;
	exit(0);
}

void
op_kill(void)
{
	uint how = draw(3);
	int pid = fork();

	if (lacks(pid))
		return;
	if (pid == 0)
		hang(how);
	expect("kill", kill(pid), 0);
	expect_child(pid, -1);
	expect("kill the dead", kill(pid), -1);
	expect("wait without a child", wait(0), -1);
}

static void __attribute__((noreturn)) exec_echo(int out, char *word)
{
	char *argv[] = {"echo", word, word, 0};

	expect("exec of nothing", exec("/grind/none", argv), -1);
	expect("exec of a folder", exec("/", argv), -1);
	check_arena("memory after a failed exec");
	close(1);
	dup(out);
	close(out);
	exec("/echo", argv);
	exit(NO_EXEC);
}

void
op_exec(void)
{
	char word[] = "aaaaaaaa";
	int length = sizeof(word) - 1;
	int fds[2];
	int pid, n, status;
	int sum = 0;

	for (int i = 0; i < length; i++)
		word[i] += draw(26);
	if (lacks(pipe(fds)))
		return;
	pid = fork();
	if (pid == 0)
		exec_echo(fds[1], word);
	close(fds[1]);
	while ((n = read(fds[0], buf + sum, CALL_MAX - sum)) > 0)
		sum += n;
	close(fds[0]);
	if (lacks(pid))
		return;
	expect("wait", wait(&status), pid);
	if (lacks(status == NO_EXEC ? -1 : 0))
		return;
	expect("exit status of echo", status, 0);
	expect("length from echo", sum, 2 * length + 2);
	expect("first word", memcmp(buf, word, length), 0);
	expect("second word", memcmp(buf + length + 1, word, length), 0);
}

void
op_time(void)
{
	int before = uptime();
	int pid = getpid();

	expect("sleep", sleep(1), 0);
	if (uptime() < before + 1)
		fail("uptime", uptime(), before + 1);
	expect("getpid", getpid(), pid);
}
