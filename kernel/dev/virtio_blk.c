/* SPDX-License-Identifier: MIT */
/*
 * virtio_blk.c - the disk (Virtual I/O Device Specification 1.1: "Split
 * Virtqueues", "Virtio Over MMIO", "Block Device").
 *
 * The device and we share one queue: a table of descriptors, a ring in which
 * we make requests available, and a ring in which the device hands them back
 * used, in any order.  A request is three descriptors: a header, the data,
 * and a byte for the outcome.  The table is cut into slots of three once and
 * for all, so that a request only fills in what differs: a slot is the unit
 * that is free or in flight.
 *
 * disk_rw() puts all of its requests into the ring, tells the device once,
 * and sleeps until the last is back; the requests of several processes are
 * in flight together.  A caller that finds all slots taken sleeps until some
 * are free; those it has already are sent first, so they come back.
 *
 * What keeps this right:
 *
 *   - All of `disk` is guarded by disk.lock, but for what the device reads
 *     and writes; of that, a slot's part belongs to the device from the
 *     moment its number is in the available ring until it is in the used one.
 *   - The fences: see publish() and disk_intr().
 *   - A batch lives on its process's stack.  It is gone once the process has
 *     seen its count at 0 with disk.lock held; disk_intr() sets the count
 *     with the lock held and does not look at the batch after that.
 */
#include "kernel/dev/dev.h"

#include "kernel/dev/fdt.h"
#include "kernel/file/bio.h"
#include "kernel/fs.h"
#include "kernel/lock/spinlock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/proc.h"

/* Registers of the MMIO transport, by their distance from the base. */
enum {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080, /* each of these: low word, high word */
	REG_QUEUE_AVAIL = 0x090,
	REG_QUEUE_USED = 0x0a0,
	REG_CAPACITY = 0x100, /* in sectors; low word, high word */
};

enum {
	VIRTIO_MAGIC = 0x74726976,
	VERSION_LEGACY = 1,
	VERSION_MODERN = 2,
	DEVICE_BLOCK = 2,
};

enum {
	STATUS_ACKNOWLEDGE = 1 << 0,
	STATUS_DRIVER = 1 << 1,
	STATUS_DRIVER_OK = 1 << 2,
	STATUS_FEATURES_OK = 1 << 3,
	STATUS_NEEDS_RESET = 1 << 6,
};

enum { INTERRUPT_CONFIG = 1 << 1 };

#define FEATURE_FLUSH     (1UL << 9)
#define FEATURE_VERSION_1 (1UL << 32)

/* A descriptor: one contiguous piece of a request. */
struct virtq_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};
enum { DESC_NEXT = 1 << 0, DESC_DEVICE_WRITES = 1 << 1 };

struct virtq_used_elem {
	u32 id; /* first descriptor of the request */
	u32 len;
};

struct request_header {
	u32 type;
	u32 reserved;
	u64 sector;
};
enum { REQUEST_READ = 0, REQUEST_WRITE = 1, REQUEST_FLUSH = 4 };
enum { OUTCOME_OK = 0, OUTCOME_NONE = 0xff };

enum {
	SECTOR_SIZE = 512,
	SECTORS_PER_BLOCK = BSIZE / SECTOR_SIZE,
	QUEUE_SIZE = 256, /* a power of two */
	DESCS_PER_SLOT = 3,
	SLOTS = QUEUE_SIZE / DESCS_PER_SLOT,
};

/* The memory that the device and we share, in the device's format. */
static struct virtq_desc descs[QUEUE_SIZE] __aligned(16);
static struct {
	u16 flags;
	u16 idx; /* requests made available so far; wraps */
	u16 ring[QUEUE_SIZE];
} avail __aligned(2);
static struct {
	u16 flags;
	u16 idx; /* requests handed back so far; wraps */
	struct virtq_used_elem ring[QUEUE_SIZE];
} used __aligned(4);
static struct request_header headers[SLOTS];
static u8 outcomes[SLOTS];

/* The requests that one caller waits for. */
struct batch {
	int in_flight;
};

/* Fixed after disk_init(), or guarded by lock. */
static struct {
	struct spinlock lock;
	paddr base;                 /* fixed */
	u64 capacity;               /* fixed: in blocks */
	bool flush;                 /* fixed: it has a cache to be flushed */
	struct batch *owner[SLOTS]; /* NULL: slot is not in flight */
	u16 free[SLOTS];            /* the free slots: a stack */
	int nfree;
	u16 unsent;    /* requests in the ring, the device not yet told */
	u16 used_seen; /* used.idx up to where we have looked */
} disk = {
	.lock = SPINLOCK(disk, "disk"),
};

static volatile u32 *
reg(u32 offset)
{
	return pa_to_kva(disk.base + offset);
}

static void
write_pair(u32 offset, u64 value)
{
	*reg(offset) = (u32)value;
	*reg(offset + 4) = (u32)(value >> 32);
}

/* --- set-up */

/* find_disk: the first slot that a block device is plugged in. */
static void
find_disk(void)
{
	for (int i = 0; i < machine.nvirtio; i++) {
		disk.base = machine.virtio[i];
		if (*reg(REG_MAGIC) == VIRTIO_MAGIC &&
			*reg(REG_DEVICE_ID) == DEVICE_BLOCK)
			return;
	}
	panic("disk: none found; give QEMU -drive and "
	      "-device virtio-blk-device: virtio slots",
		machine.nvirtio);
}

static u64
offered_features(void)
{
	u64 low, high;

	*reg(REG_DEVICE_FEATURES_SEL) = 0;
	low = *reg(REG_DEVICE_FEATURES);
	*reg(REG_DEVICE_FEATURES_SEL) = 1;
	high = *reg(REG_DEVICE_FEATURES);
	return high << 32 | low;
}

static void
negotiate(void)
{
	u64 offered = offered_features();
	u64 wanted = FEATURE_VERSION_1 | (offered & FEATURE_FLUSH);

	if (!(offered & FEATURE_VERSION_1))
		panic("disk: device is not virtio 1.0", offered);
	*reg(REG_DRIVER_FEATURES_SEL) = 0;
	*reg(REG_DRIVER_FEATURES) = (u32)wanted;
	*reg(REG_DRIVER_FEATURES_SEL) = 1;
	*reg(REG_DRIVER_FEATURES) = (u32)(wanted >> 32);

	*reg(REG_STATUS) |= STATUS_FEATURES_OK;
	if (!(*reg(REG_STATUS) & STATUS_FEATURES_OK))
		panic("disk: device refuses the features", wanted);
	disk.flush = (wanted & FEATURE_FLUSH) != 0;
}

/* set_up_slots: all that is the same in every request of a slot. */
static void
set_up_slots(void)
{
	for (int i = 0; i < SLOTS; i++) {
		int first = i * DESCS_PER_SLOT;

		descs[first] = (struct virtq_desc){
			.addr = kva_to_pa(&headers[i]),
			.len = sizeof(headers[i]),
			.flags = DESC_NEXT,
		};
		descs[first + 1] = (struct virtq_desc){
			.len = BSIZE,
			.next = (u16)(first + 2),
		};
		descs[first + 2] = (struct virtq_desc){
			.addr = kva_to_pa(&outcomes[i]),
			.len = sizeof(outcomes[i]),
			.flags = DESC_DEVICE_WRITES,
		};
		disk.free[disk.nfree++] = (u16)i;
	}
}

static void
set_up_queue(void)
{
	*reg(REG_QUEUE_SEL) = 0;
	if (*reg(REG_QUEUE_NUM_MAX) < QUEUE_SIZE)
		panic("disk: device's queue is too short",
			*reg(REG_QUEUE_NUM_MAX));
	*reg(REG_QUEUE_NUM) = QUEUE_SIZE;
	write_pair(REG_QUEUE_DESC, kva_to_pa(descs));
	write_pair(REG_QUEUE_AVAIL, kva_to_pa(&avail));
	write_pair(REG_QUEUE_USED, kva_to_pa(&used));
	*reg(REG_QUEUE_READY) = 1;
}

void
disk_init(void)
{
	u64 sectors;

	find_disk();
	if (*reg(REG_VERSION) == VERSION_LEGACY)
		panic("disk: old virtio; give QEMU "
		      "-global virtio-mmio.force-legacy=false: version",
			VERSION_LEGACY);
	if (*reg(REG_VERSION) != VERSION_MODERN)
		panic("disk: unknown virtio version", *reg(REG_VERSION));

	*reg(REG_STATUS) = 0; /* resets it */
	*reg(REG_STATUS) |= STATUS_ACKNOWLEDGE;
	*reg(REG_STATUS) |= STATUS_DRIVER;
	negotiate();
	sectors = *reg(REG_CAPACITY) | (u64)*reg(REG_CAPACITY + 4) << 32;
	disk.capacity = sectors / SECTORS_PER_BLOCK;
	set_up_slots();
	set_up_queue();
	*reg(REG_STATUS) |= STATUS_DRIVER_OK;
}

/* --- requests; all of these with disk.lock held */

/* ring_doorbell: tell the device of all requests it does not know of. */
static void
ring_doorbell(void)
{
	if (disk.unsent == 0)
		return;
	/* avail.idx is in memory before the device is told to look at it. */
	asm volatile("fence w, o" ::: "memory");
	*reg(REG_QUEUE_NOTIFY) = 0;
	disk.unsent = 0;
}

/* take_slot: sleeps until one is free; what we hold back is sent before. */
static int
take_slot(void)
{
	while (disk.nfree == 0) {
		ring_doorbell();
		sleep(&disk.nfree, &disk.lock);
	}
	return disk.free[--disk.nfree];
}

/* publish: slot is filled in; give it to the device. */
static void
publish(int slot, struct batch *batch)
{
	disk.owner[slot] = batch;
	batch->in_flight++;
	outcomes[slot] = OUTCOME_NONE;
	avail.ring[avail.idx % QUEUE_SIZE] = (u16)(slot * DESCS_PER_SLOT);

	/*
	 * Release: the descriptors, the header, the data to be written and
	 * the ring's entry are in memory before the count that lets the
	 * device read them, which it may do at once if it is awake.
	 */
	__atomic_store_n(&avail.idx, (u16)(avail.idx + 1), __ATOMIC_RELEASE);
	disk.unsent++;
}

static void
request_block(const struct buf *b, bool write, struct batch *batch)
{
	int slot = take_slot();
	struct virtq_desc *desc = &descs[slot * DESCS_PER_SLOT];

	if (b->blockno >= disk.capacity)
		panic("disk: block is beyond the end", b->blockno);
	headers[slot] = (struct request_header){
		.type = write ? REQUEST_WRITE : REQUEST_READ,
		.sector = (u64)b->blockno * SECTORS_PER_BLOCK,
	};
	desc[0].next = (u16)(slot * DESCS_PER_SLOT + 1);
	desc[1].addr = kva_to_pa(b->data);
	desc[1].flags = DESC_NEXT | (write ? 0 : DESC_DEVICE_WRITES);
	publish(slot, batch);
}

static void
request_flush(struct batch *batch)
{
	int slot = take_slot();

	headers[slot] = (struct request_header){.type = REQUEST_FLUSH};
	descs[slot * DESCS_PER_SLOT].next = (u16)(slot * DESCS_PER_SLOT + 2);
	publish(slot, batch);
}

static void
finish(struct batch *batch)
{
	ring_doorbell();
	while (batch->in_flight > 0)
		sleep(batch, &disk.lock);
}

void
disk_rw(struct buf **bufs, int n, bool write)
{
	struct batch batch = {0};

	acquire(&disk.lock);
	for (int i = 0; i < n; i++)
		request_block(bufs[i], write, &batch);
	finish(&batch);
	if (write)
		STAT_ADD(disk_writes, (u64)n);
	else
		STAT_ADD(disk_reads, (u64)n);
	release(&disk.lock);
}

void
disk_flush(void)
{
	struct batch batch = {0};

	if (!disk.flush)
		return;
	acquire(&disk.lock);
	request_flush(&batch);
	finish(&batch);
	release(&disk.lock);
}

/* complete: the request whose first descriptor is id has come back. */
static void
complete(u32 id)
{
	u32 slot = id / DESCS_PER_SLOT;
	struct batch *batch;

	if (id % DESCS_PER_SLOT != 0 || slot >= SLOTS ||
		disk.owner[slot] == NULL)
		panic("disk: device returned what it was not given", id);
	if (outcomes[slot] != OUTCOME_OK)
		panic("disk: request failed at sector", headers[slot].sector);

	batch = disk.owner[slot];
	disk.owner[slot] = NULL;
	disk.free[disk.nfree++] = (u16)slot;
	if (--batch->in_flight == 0)
		wakeup(batch);
}

void
disk_intr(void)
{
	bool starved;
	u32 cause;

	acquire(&disk.lock);
	/* Before the ring is read: what comes later interrupts again. */
	cause = *reg(REG_INTERRUPT_STATUS);
	*reg(REG_INTERRUPT_ACK) = cause;
	asm volatile("fence o, r" ::: "memory");
	if ((cause & INTERRUPT_CONFIG) &&
		(*reg(REG_STATUS) & STATUS_NEEDS_RESET))
		panic("disk: device has failed", *reg(REG_STATUS));
	starved = disk.nfree == 0;

	/* Acquire: the entry, outcome and data were there before the count. */
	while (__atomic_load_n(&used.idx, __ATOMIC_ACQUIRE) != disk.used_seen) {
		complete(used.ring[disk.used_seen % QUEUE_SIZE].id);
		disk.used_seen++;
	}
	/* Who waits for a slot fell asleep when there was none. */
	if (starved && disk.nfree > 0)
		wakeup(&disk.nfree);
	release(&disk.lock);
}
