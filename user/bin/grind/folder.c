/* SPDX-License-Identifier: MIT */
/* folder.c - folders: the worker's own, and what is made and removed there. */
#include "user/bin/grind/grind.h"

/* grind.WORKER.PID */
static const char *
folder_name(void)
{
	static char name[] = "grind.a.00000";
	int pid = getpid();

	name[6] = 'a' + worker;
	for (int i = sizeof(name) - 2; name[i] != '.'; i--) {
		name[i] = '0' + pid % 10;
		pid /= 10;
	}
	return name;
}

void
enter_folder(void)
{
	/* It may be left over from a machine that was cut off. */
	mkdir(folder_name());
	expect("chdir to the folder", chdir(folder_name()), 0);
	remove_files();
	unlink("device");
	unlink("dir/file");
	unlink("dir");
}

void
leave_folder(void)
{
	close_files();
	remove_files();
	expect("chdir back", chdir(".."), 0);
	expect("remove the folder", unlink(folder_name()), 0);
}

void
op_folder(void)
{
	int fd;

	if (lacks(mkdir("dir")))
		return;
	expect("mkdir again", mkdir("dir"), -1);
	expect("open a folder to write", open("dir", O_RDWR), -1);
	expect("link a folder", link("dir", "dir2"), -1);
	expect("chdir", chdir("dir"), 0);
	expect("remove .", unlink("."), -1);
	expect("remove ..", unlink(".."), -1);
	fd = open("file", O_CREATE | O_RDWR);
	if (!lacks(fd)) {
		expect("close", close(fd), 0);
		expect("remove a full folder", unlink("../dir"), -1);
		expect("chdir to a file", chdir("file"), -1);
	}
	/* It is there if open() lacked something after making it. */
	unlink("file");
	expect("chdir back", chdir(".."), 0);
	expect("remove a folder", unlink("dir"), 0);
	expect("chdir to nothing", chdir("dir"), -1);
}

void
op_device(void)
{
	struct stat st;

	if (lacks(mknod("device", 1, 0)))
		return;
	expect("mknod again", mknod("device", 1, 0), -1);
	if (!lacks(stat("device", &st)))
		expect("type", st.type, T_DEVICE);
	expect("remove a device", unlink("device"), 0);
}
