/*
 * The model of pgtlab/arch/walk_cost.py as one would write it in C, as far as benchmarks/tlb.py needs it: pages only, one
 * VA range, one ASID, LRU by time stamps, sets searched way by way. It walks the same tables in the same memory.
 */
#include <stdint.h>
#include <stdlib.h>

struct cache {
	uint64_t sets, ways;
	uint64_t *tag, *stamp; /* a tag is the number of a page or of a larger piece, plus one; 0 is empty */
};

struct tables {
	const uint64_t *words; /* all of memory that holds tables, from physical address base on */
	uint64_t base, root;
	int64_t start_level;
	uint64_t shift, bits_per_level, input_bits;
};

struct counts {
	uint64_t l1_hits, l2_hits, walks, faults, reads[4], walk_cache_hits[4];
};

static int look_up(struct cache *c, uint64_t number, uint64_t now)
{
	uint64_t *tag = c->tag + (number & (c->sets - 1)) * c->ways;

	for (uint64_t way = 0; way < c->ways; way++)
		if (tag[way] == number + 1) {
			c->stamp[tag - c->tag + way] = now;
			return 1;
		}
	return 0;
}

static void fill(struct cache *c, uint64_t number, uint64_t now)
{
	uint64_t first = (number & (c->sets - 1)) * c->ways, oldest = first;

	for (uint64_t slot = first + 1; slot < first + c->ways; slot++)
		if (c->stamp[slot] < c->stamp[oldest])
			oldest = slot;
	c->tag[oldest] = number + 1;
	c->stamp[oldest] = now;
}

/* caches: L1, L2, then the walk caches for levels 0, 1 and 2. Returns 0, or -1 without memory. */
int simulate(const struct tables *t, const uint64_t geometry[5][2], const uint64_t *vas, uint64_t n, struct counts *counts)
{
	struct cache c[5];
	const uint64_t entries = 1ull << t->bits_per_level;

	for (int i = 0; i < 5; i++) {
		c[i].ways = geometry[i][1];
		c[i].sets = geometry[i][0] / geometry[i][1];
		c[i].tag = calloc(geometry[i][0], sizeof(uint64_t));
		c[i].stamp = calloc(geometry[i][0], sizeof(uint64_t));
		if (!c[i].tag || !c[i].stamp)
			return -1;
	}
	for (uint64_t i = 0; i < n; i++) {
		const uint64_t va = vas[i], now = i + 1, page = va >> t->shift;
		uint64_t table[5], word;
		int64_t level, first;

		if (va >> t->input_bits) {
			counts->faults++;
			continue;
		}
		if (look_up(&c[0], page, now)) {
			counts->l1_hits++;
			continue;
		}
		if (look_up(&c[1], page, now)) {
			counts->l2_hits++;
			fill(&c[0], page, now);
			continue;
		}
		for (level = 2; level >= t->start_level; level--)
			if (look_up(&c[2 + level], va >> (t->shift + (3 - level) * t->bits_per_level), now))
				break;
		first = level + 1;
		if (level >= t->start_level)
			counts->walk_cache_hits[level]++;
		counts->walks++;
		/* A walk cache would hold the address of the next table: found again here by a walk that is not counted. */
		table[t->start_level] = t->root;
		for (level = t->start_level; level <= 3; level++) {
			const uint64_t covers = t->shift + (3 - level) * t->bits_per_level;
			const uint64_t index = va >> covers & (entries - 1);

			word = t->words[(table[level] - t->base) / 8 + index];
			if (level >= first)
				counts->reads[level]++;
			if ((word & 3) != 3)
				break;
			if (level == 3)
				break;
			table[level + 1] = word & 0xfffffffff000ull & ~((1ull << t->shift) - 1);
			if (level >= first)
				fill(&c[2 + level], va >> covers, now);
		}
		if ((word & 3) != 3) {
			counts->faults++;
			continue;
		}
		fill(&c[0], page, now);
		fill(&c[1], page, now);
	}
	for (int i = 0; i < 5; i++) {
		free(c[i].tag);
		free(c[i].stamp);
	}
	return 0;
}
