/*
 * Asks the MMU: for each image, put its tables into memory, set the registers of the EL1&0 regime, and for each
 * address run AT and read PAR_EL1.
 *
 * The job is where QEMU's loader put it, an array of 64-bit words that qemu.py writes. The answers go to the file
 * "answers" in QEMU's working directory.
 */

typedef unsigned long u64;

struct word { u64 address, value; };
struct question { u64 va, operation; };
struct answer { u64 par, esr; };
struct timing { u64 ticks, frequency; };

struct image {
	u64 tcr, ttbr0, ttbr1, mair, sctlr;
	u64 restore;                    /* write all words again before each question */
	u64 passes;                     /* ask all questions so many times; more than once only to take the time */
	u64 n_words, n_questions;
	/* then struct word[n_words], struct question[n_questions] */
};

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, MODE_WB = 5 };

u64 semihosting(u64 operation, const void *parameters);

#define AT(op, va) \
	__asm__ volatile("mov x17, #0\n at " op ", %2\n isb\n mov %1, x17\n mrs %0, par_el1" \
			 : "=r"(par), "=&r"(esr) : "r"(va) : "x16", "x17", "memory", "cc")
#define WRITE(reg, value) __asm__ volatile("msr " #reg ", %0" :: "r"(value))
#define READ(reg) ({ u64 value; __asm__ volatile("isb\n mrs %0, " #reg : "=r"(value)); value; })

static struct answer ask(const struct question *q)
{
	u64 par, esr;

	switch (q->operation) {
	case 0: AT("s1e1r", q->va); break;
	case 1: AT("s1e1w", q->va); break;
	case 2: AT("s1e0r", q->va); break;
	default: AT("s1e0w", q->va); break;
	}
	return (struct answer){ esr ? 0 : par, esr };
}

static void invalidate_tlb(void)
{
	__asm__ volatile("dsb sy\n tlbi vmalle1\n dsb sy\n isb" ::: "memory");
}

static void store(const struct word *words, u64 n)
{
	for (u64 i = 0; i < n; i++)
		*(volatile u64 *)words[i].address = words[i].value;
}

static void erase(const struct word *words, u64 n)
{
	for (u64 i = 0; i < n; i++)
		*(volatile u64 *)words[i].address = 0;
}

/* Answers the questions, each in its own place. Returns the ticks that it took. */
static u64 run(const struct image *m, const struct word *words, struct question *questions)
{
	store(words, m->n_words);
	WRITE(tcr_el1, m->tcr);
	WRITE(ttbr0_el1, m->ttbr0);
	WRITE(ttbr1_el1, m->ttbr1);
	WRITE(mair_el1, m->mair);
	WRITE(sctlr_el1, m->sctlr);
	invalidate_tlb();

	u64 start = READ(cntvct_el0);
	for (u64 pass = 1; pass < m->passes; pass++)
		for (u64 i = 0; i < m->n_questions; i++)
			ask(&questions[i]);
	for (u64 i = 0; i < m->n_questions; i++) {
		/*
		 * With TCR_EL1.HA an AT may write to the tables (access flag, dirty state), and what is recorded is the
		 * memory before. So each question finds it as it was: the words that are not zero are written again,
		 * and the others are no valid descriptors, which hardware never changes.
		 */
		if (m->restore) {
			store(words, m->n_words);
			invalidate_tlb();
		}
		struct answer a = ask(&questions[i]);
		questions[i] = (struct question){ a.par, a.esr };
	}
	u64 ticks = READ(cntvct_el0) - start;

	erase(words, m->n_words);       /* the next image finds RAM as QEMU makes it: all zeros */
	return ticks;
}

static int write_file(u64 file, const void *data, u64 size)
{
	u64 parameters[] = { file, (u64)data, size };

	return semihosting(SYS_WRITE, parameters) == 0;
}

int main(void)
{
	static const char name[] = "answers";
	u64 open[] = { (u64)name, MODE_WB, sizeof(name) - 1 };
	u64 file = semihosting(SYS_OPEN, open);
	const u64 *job = (const u64 *)JOB;
	u64 n_images = *job++;

	if (file == (u64)-1)
		return 2;
	while (n_images--) {
		const struct image *m = (const struct image *)job;
		const struct word *words = (const struct word *)(m + 1);
		struct question *questions = (struct question *)(words + m->n_words);
		struct timing time = { run(m, words, questions), READ(cntfrq_el0) };

		if (!write_file(file, questions, m->n_questions * sizeof(*questions)) ||
		    !write_file(file, &time, sizeof(time)))
			return 2;
		job = (const u64 *)(questions + m->n_questions);
	}
	return 0;
}
