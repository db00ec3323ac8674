/* SPDX-License-Identifier: MIT */
/*
 * list.h - doubly linked lists with the links inside the objects.  A list
 * head and a node off any list both point to themselves.
 */
#ifndef KERNEL_LIB_LIST_H
#define KERNEL_LIB_LIST_H

#include "kernel/lib/base.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                                                        \
	{                                                                      \
		&(name), &(name)                                               \
	}

static inline void
list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
	return l->next == l;
}

/* list_sound: do the neighbours of node know it? */
static inline bool
list_sound(const struct list *node)
{
	return node->prev->next == node && node->next->prev == node;
}

/* list_loose: is node on no list, or new (all zeroes)? */
static inline bool
list_loose(const struct list *node)
{
	return node->next == NULL || node->next == node;
}

/*
 * list_ends: is the list no longer than most?  For those who do not trust it:
 * a broken list may run in a circle that its head is not part of.
 */
static inline bool
list_ends(const struct list *l, u64 most)
{
	const struct list *at = l->next;

	for (; at != l && most > 0; most--)
		at = at->next;
	return at == l;
}

/* list_push: put node last on the list. */
static inline void
list_push(struct list *l, struct list *node)
{
	DEBUG_ASSERT(list_loose(node));
	DEBUG_ASSERT(list_sound(l));
	node->prev = l->prev;
	node->next = l;
	l->prev->next = node;
	l->prev = node;
}

/* list_push_front: put node first on the list. */
static inline void
list_push_front(struct list *l, struct list *node)
{
	list_push(l->next, node);
}

/* list_remove: take node off its list; harmless if it is on none. */
static inline void
list_remove(struct list *node)
{
	DEBUG_ASSERT(list_sound(node));
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_first(l, type, member) list_entry((l)->next, type, member)

/* The body may remove the entry it looks at, and no other. */
#define list_for_each(pos, l, member)                                          \
	for (struct list *pos##_at = (l)->next, *pos##_next = pos##_at->next;  \
		pos##_at != (l) &&                                             \
		(pos = list_entry(pos##_at, __typeof__(*pos), member), true);  \
		pos##_at = pos##_next, pos##_next = pos##_at->next)

#endif
