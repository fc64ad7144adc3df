/*
 * The peers of translate_many: a walk of four levels, 4K granule, 48 bits, lower range, in a loop.
 * `base` is the physical address of mem[0].
 */
#include <stddef.h>
#include <stdint.h>

#define ADDRESS 0x0000fffffffff000ull
#define NO_FAULT 0xff

/* The address alone: all ones where there is none. */
void walk_plain(const uint64_t *mem, uint64_t base, uint64_t ttbr, const uint64_t *vas, size_t n, uint64_t *pa)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t va = vas[i], table = ttbr, result = ~0ull;

		for (int shift = 39; shift >= 12; shift -= 9) {
			uint64_t word = mem[(table - base) / 8 + (va >> shift & 511)];

			if (!(word & 1))
				break;
			table = word & ADDRESS;
			if (shift == 12 || !(word & 2)) {
				uint64_t offset = (1ull << shift) - 1;

				result = (table & ~offset) | (va & offset);
				break;
			}
		}
		pa[i] = result;
	}
}

/* What translate_many gives for a read at EL1: address, status code, level, attributes, with what tables hand down. */
void walk_full(const uint64_t *mem, uint64_t base, uint64_t ttbr, uint64_t mair, const uint64_t *vas, size_t n,
	       uint64_t *pa, uint8_t *fault, int8_t *levels, uint16_t *attributes)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t va = vas[i], table = ttbr, inherited = 0, word = 0;
		int level = 0, shift = 39, code = NO_FAULT;

		if (va >> 48) {
			code = 0x04;
		} else {
			for (;; level++, shift -= 9) {
				word = mem[(table - base) / 8 + (va >> shift & 511)];
				if (!(word & 1) || (!(word & 2) && (level == 0 || level == 3))) {
					code = 0x04 | level;
					break;
				}
				table = word & ADDRESS;
				if (level == 3 || !(word & 2)) {
					if (!(word >> 10 & 1))
						code = 0x08 | level;
					break;
				}
				inherited |= word >> 59 & 15;
			}
		}
		levels[i] = level;
		fault[i] = code;
		if (code != NO_FAULT) {
			pa[i] = 0;
			attributes[i] = 0;
		} else {
			uint64_t offset = (1ull << shift) - 1;
			unsigned attr = mair >> (word >> 2 & 7) * 8 & 0xff;
			unsigned sh = attr >> 4 == 0 || attr == 0x44 ? 2 : word >> 8 & 3;
			unsigned ap = ((word >> 6 & 3) & ~(inherited >> 2 & 1)) | (inherited >> 3 & 1) << 1;

			pa[i] = (table & ~offset) | (va & offset);
			attributes[i] = attr | sh << 8 | ap << 10 | ((word >> 54 | inherited >> 1) & 1) << 12 |
					((word >> 53 | inherited) & 1) << 13 | (word >> 11 & 1) << 14 | (word >> 52 & 1) << 15;
		}
	}
}
