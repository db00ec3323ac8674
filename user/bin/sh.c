/* SPDX-License-Identifier: MIT */
/*
 * sh - the shell: sh [-c COMMAND | SCRIPT]
 *
 *	list      pipeline { ; & && || pipeline }
 *	pipeline  stage { | stage }
 *	stage     words and redirections, or ( list ) and redirections
 *	redirect  < file, > file, >> file
 *
 * Words may be quoted with ' or "; # begins a comment.  cd, exit and wait
 * are done by the shell itself if they stand alone.  & belongs to the one
 * pipeline before it.  The status of a script is that of its last command.
 *
 * A line is parsed to the end before any of it runs.  What the parser makes
 * lives in an arena that the next line takes over; its size covers the worst
 * line, so running out cannot happen.  Stacks are one page: brackets nest to
 * a limit, and buffers are static.
 */
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/lib/command.h"

enum {
	LINE_MAX = 1024,            /* bytes of a line, with its NUL */
	ARENA_SIZE = 48 * LINE_MAX, /* bytes that a line of it can need */
	NEST_MAX = 8,

	STATUS_SYNTAX = 2,
	STATUS_SYSTEM = 125, /* no process, pipe or memory left */
	STATUS_NOTFOUND = 127,
};

struct word {
	struct word *next;
	char text[];
};

struct redirect {
	struct redirect *next;
	enum { READ, WRITE, APPEND } how;
	char path[];
};

struct stage {
	struct stage *next;
	struct word *words;
	struct redirect *redirects;
	struct list *body; /* of ( ), else 0 */
	int pid;           /* while it runs */
};

/* A pipeline, and what stands between it and the next. */
struct list {
	struct list *next;
	struct stage *stages;
	enum { THEN, BACKGROUND, AND, OR } end;
};

/* Where lines come from.  fd 0 is shared with commands: no reading ahead. */
static struct input {
	int fd;
	int at, len;
	char ahead[512];
} input;

static char line[LINE_MAX];

static union {
	char bytes[ARENA_SIZE];
	void *align;
} arena;
static uint arena_used;

static const char *at;    /* the parser's place in line */
static const char *wrong; /* the first thing it found wrong */
static int nesting;

static int status; /* of the last command */

static struct list *parse_list(void);
static int run_list(const struct list *l);

/* ---- parser: on an error it sets wrong and returns 0, all the way up */

static void *
arena_get(uint size)
{
	void *mem = arena.bytes + arena_used;

	size = (size + 7) & ~7U;
	if (size > sizeof(arena) - arena_used) {
		fprintf(2, "sh: the arena is too small for this line\n");
		exit(STATUS_SYSTEM);
	}
	arena_used += size;
	memset(mem, 0, size);
	return mem;
}

static void *
complain(const char *what)
{
	if (wrong == 0)
		wrong = what;
	return 0;
}

static char
peek(void)
{
	while (*at == ' ' || *at == '\t' || *at == '\r')
		at++;
	return *at == '#' ? '\0' : *at;
}

static int
accept(const char *token)
{
	uint n = strlen(token);

	peek();
	for (uint i = 0; i < n; i++)
		if (at[i] != token[i])
			return 0;
	at += n;
	return 1;
}

/* Read a word into the arena, behind a header of so many bytes. */
static void *
parse_word(uint header)
{
	static char text[LINE_MAX];
	char *item;
	int n;

	if (peek() == '\0' || strchr("<>|&;()", *at))
		return complain("a word is missing");
	n = word_copy(&at, "<>|&;()", text);
	if (n < 0)
		return complain("a quote is not closed");
	item = arena_get(header + n);
	memcpy(item + header, text, n);
	return item;
}

static struct redirect *
parse_redirect(void)
{
	int how = WRITE;
	struct redirect *r;

	if (accept("<"))
		how = READ;
	else if (accept(">>"))
		how = APPEND;
	else
		accept(">");
	r = parse_word(__builtin_offsetof(struct redirect, path));
	if (r == 0)
		return 0;
	r->how = how;
	return r;
}

static struct list *
parse_brackets(void)
{
	struct list *body;

	if (++nesting > NEST_MAX)
		return complain("brackets are nested too deeply");
	body = parse_list();
	if (wrong == 0 && body == 0)
		return complain("nothing between ( and )");
	if (!accept(")"))
		return complain("a ( is not closed");
	nesting--;
	return body;
}

static struct stage *
parse_stage(void)
{
	struct stage *s = arena_get(sizeof(*s));
	struct redirect **redirect = &s->redirects;
	struct word **word = &s->words;
	int nwords = 0;

	if (accept("(")) {
		s->body = parse_brackets();
		if (s->body == 0)
			return 0;
	}
	while (peek() != '\0' && !strchr("|&;)", *at)) {
		if (*at == '<' || *at == '>') {
			*redirect = parse_redirect();
			if (*redirect == 0)
				return 0;
			redirect = &(*redirect)->next;
			continue;
		}
		if (*at == '(' || s->body)
			return complain("a bracket is in the wrong place");
		if (++nwords == MAXARG)
			return complain("too many words in a command");
		*word = parse_word(__builtin_offsetof(struct word, text));
		if (*word == 0)
			return 0;
		word = &(*word)->next;
	}
	if (s->words == 0 && s->redirects == 0 && s->body == 0)
		return complain("a command is missing");
	return s;
}

static struct stage *
parse_pipeline(void)
{
	struct stage *first = 0;
	struct stage **link = &first;

	for (;;) {
		*link = parse_stage();
		if (*link == 0)
			return 0;
		link = &(*link)->next;
		peek();
		if (at[0] != '|' || at[1] == '|')
			return first;
		at++;
	}
}

/* Parse up to the end of the line or a closing bracket; 0 if nothing is there.
 */
static struct list *
parse_list(void)
{
	struct list *first = 0;
	struct list **link = &first;
	struct list *l = 0;

	while (peek() != '\0' && *at != ')') {
		l = arena_get(sizeof(*l));
		l->stages = parse_pipeline();
		if (l->stages == 0)
			return 0;
		*link = l;
		link = &l->next;

		if (accept("&&"))
			l->end = AND;
		else if (accept("||"))
			l->end = OR;
		else if (accept("&"))
			l->end = BACKGROUND;
		else if (!accept(";"))
			break;
	}
	if (l && (l->end == AND || l->end == OR) && l->next == 0)
		return complain("a command is missing");
	return first;
}

/* ---- running */

/* Open the file of r as descriptor fd; for >> go to its end by reading. */
static int
redirect_to(const struct redirect *r)
{
	static const int modes[] = {
		[READ] = O_RDONLY,
		[WRITE] = O_WRONLY | O_CREATE | O_TRUNC,
		[APPEND] = O_RDWR | O_CREATE,
	};
	static char skipped[1024];
	int fd = r->how == READ ? 0 : 1;

	close(fd);
	/* 0 is open always, so the lowest free descriptor is fd. */
	if (open(r->path, modes[r->how]) != fd) {
		fprintf(2, "sh: %s: cannot be opened\n", r->path);
		return -1;
	}
	while (r->how == APPEND && read(fd, skipped, sizeof(skipped)) > 0)
		continue;
	return 0;
}

/* Become the stage; never returns. */
static void
run_stage(const struct stage *s)
{
	static char *argv[MAXARG + 1];
	const char *why;
	int argc = 0;

	for (const struct redirect *r = s->redirects; r; r = r->next)
		if (redirect_to(r) < 0)
			exit(1);
	if (s->body)
		exit(run_list(s->body));
	for (struct word *w = s->words; w; w = w->next)
		argv[argc++] = w->text;
	if (argc == 0)
		exit(0);
	why = command_exec(argv);
	fprintf(2, "sh: %s: %s\n", argv[0], why);
	exit(STATUS_NOTFOUND);
}

/* Make descriptor to what from is, and close from. */
static void
move_fd(int from, int to)
{
	close(to);
	dup(from);
	close(from);
}

/*
 * Start one stage with in as its descriptor 0 and, unless it is the last,
 * the pipe fds behind it.  Returns its process, or -1.
 */
static int
start_stage(const struct stage *s, int in, const int *fds)
{
	int pid = fork();

	if (pid != 0)
		return pid;
	if (in != 0)
		move_fd(in, 0);
	if (s->next) {
		close(fds[0]);
		move_fd(fds[1], 1);
	}
	run_stage(s);
	return -1;
}

/* Start all stages, each to read what the one before writes. */
static int
start_stages(struct stage *first)
{
	int in = 0;
	int err = 0;

	for (struct stage *s = first; s && !err; s = s->next) {
		int fds[2] = {0, 0};

		err = s->next ? pipe(fds) : 0;
		if (!err)
			s->pid = start_stage(s, in, fds);
		if (s->pid < 0)
			err = -1;
		if (in != 0)
			close(in);
		if (fds[1] != 0)
			close(fds[1]);
		in = fds[0];
	}
	if (in != 0)
		close(in);
	if (err)
		fprintf(2, "sh: no process, pipe or memory left; try again\n");
	return err;
}

/*
 * Wait for all stages that were started; returns the status of the last.
 * Whatever ended in the background is reaped on the way.
 */
static int
wait_stages(struct stage *first)
{
	int result = STATUS_SYSTEM;
	int left = 0;
	int ended, pid;

	for (struct stage *s = first; s; s = s->next)
		left += s->pid > 0;
	while (left > 0) {
		pid = wait(&ended);
		if (pid < 0)
			break;
		for (struct stage *s = first; s; s = s->next) {
			if (s->pid != pid)
				continue;
			left--;
			if (s->next == 0)
				result = ended;
		}
	}
	return result;
}

/* Run a command that only the shell itself can do; returns 0 if it is none. */
static int
run_builtin(const struct stage *s)
{
	const char *name, *arg;
	uint n;

	if (s->next || s->redirects || s->words == 0)
		return 0;
	name = s->words->text;
	arg = s->words->next ? s->words->next->text : 0;

	if (strcmp(name, "cd") == 0) {
		status = chdir(arg ? arg : "/") < 0;
		if (status)
			fprintf(2, "sh: cd: %s: no such folder\n", arg);
		return 1;
	}
	if (strcmp(name, "wait") == 0) {
		while (wait(0) > 0)
			continue;
		status = 0;
		return 1;
	}
	if (strcmp(name, "exit") == 0) {
		if (arg == 0)
			exit(status);
		if (number(arg, &n) == 0)
			exit(n);
		fprintf(2, "sh: exit: %s: not a number\n", arg);
		status = STATUS_SYNTAX;
		return 1;
	}
	return 0;
}

static void
run_pipeline(const struct list *l)
{
	if (l->end != BACKGROUND && run_builtin(l->stages))
		return;
	if (start_stages(l->stages) < 0)
		status = STATUS_SYSTEM;
	else
		status = 0;
	if (l->end != BACKGROUND)
		status = wait_stages(l->stages);
}

static int
run_list(const struct list *l)
{
	int go = 1;

	for (; l; l = l->next) {
		if (go)
			run_pipeline(l);
		go = l->end == AND  ? status == 0
		     : l->end == OR ? status != 0
				    : 1;
	}
	return status;
}

static void
run_line(void)
{
	struct list *l;

	arena_used = 0;
	at = line;
	wrong = 0;
	nesting = 0;
	l = parse_list();
	if (peek() != '\0')
		complain("something is left over");
	if (wrong == 0) {
		run_list(l);
		return;
	}
	status = STATUS_SYNTAX;
	if (peek() == '\0')
		fprintf(2, "sh: syntax error at the end: %s\n", wrong);
	else
		fprintf(2, "sh: syntax error at `%.20s': %s\n", at, wrong);
}

/* ---- input */

/* The next byte, or -1 at the end. */
static int
next_byte(void)
{
	if (input.at == input.len) {
		input.len = read(input.fd, input.ahead,
			input.fd == 0 ? 1 : sizeof(input.ahead));
		input.at = 0;
		if (input.len <= 0) {
			input.len = 0;
			return -1;
		}
	}
	return (uchar)input.ahead[input.at++];
}

/*
 * Read the next line, without its newline.  Returns 0, or -1 at the end.  A
 * line that is too long is skipped, and comes out empty.
 */
static int
read_line(void)
{
	uint n = 0;
	int c = next_byte();

	if (c < 0)
		return -1;
	for (; c >= 0 && c != '\n'; c = next_byte()) {
		if (n < sizeof(line) - 1)
			line[n] = c;
		n++;
	}
	if (n >= sizeof(line)) {
		fprintf(2, "sh: line skipped: longer than %d characters\n",
			LINE_MAX - 1);
		status = STATUS_SYNTAX;
		n = 0;
	}
	line[n] = '\0';
	return 0;
}

/* Commands may count on descriptors 0, 1 and 2, so they shall be open. */
static void
open_standard(void)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) < 0)
			open("/console", O_RDWR);
}

static void
open_script(const char *path)
{
	input.fd = open(path, O_RDONLY);
	if (input.fd < 0) {
		fprintf(2, "sh: %s: cannot be opened\n", path);
		exit(STATUS_NOTFOUND);
	}
}

int
main(int argc, char **argv)
{
	open_standard();
	if (argc == 3 && strcmp(argv[1], "-c") == 0) {
		if (strlen(argv[2]) >= sizeof(line)) {
			fprintf(2, "sh: the command is too long\n");
			exit(STATUS_SYNTAX);
		}
		strcpy(line, argv[2]);
		run_line();
		return status;
	}
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		fprintf(2, "usage: sh [-c COMMAND | SCRIPT]\n");
		return STATUS_SYNTAX;
	}
	if (argc == 2)
		open_script(argv[1]);
	for (;;) {
		if (input.fd == 0)
			write(2, "$ ", 2);
		if (read_line() < 0)
			return status;
		run_line();
	}
}
