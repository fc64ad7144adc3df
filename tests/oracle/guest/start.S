// Entry, exceptions and semihosting. QEMU starts us at EL2 with the MMU off, and so it stays: the translations that
// are asked about are those of EL1 and EL0, which never run.

        .global _start
_start:
        adrp    x0, stack_top
        add     sp, x0, :lo12:stack_top
        adrp    x0, vectors
        add     x0, x0, :lo12:vectors
        msr     vbar_el2, x0
        mov     x0, #1 << 31            // HCR_EL2.RW: EL1 is AArch64. No stage 2, no traps
        msr     hcr_el2, x0
        isb
        bl      main                    // its result is our exit status
        // falls through

// exit(status): QEMU exits with `status`.
        .global exit
exit:
        mov     w1, #0x26
        movk    w1, #2, lsl #16         // ADP_Stopped_ApplicationExit
        stp     x1, x0, [sp, #-16]!
        mov     x1, sp
        mov     w0, #0x18               // SYS_EXIT
        hlt     #0xf000
        b       .

// semihosting(operation, parameters): ask QEMU, which reads the parameters from our memory.
        .global semihosting
semihosting:
        hlt     #0xf000
        ret

// An AT whose walk reads where nothing answers raises a synchronous external abort, and PAR_EL1 is not written. That
// is an answer too: hand ESR_EL2 back in x17 and go on behind the AT. Anything else is a fault of this program.
synchronous:
        mrs     x17, esr_el2
        lsr     x16, x17, #26
        cmp     x16, #0x25              // EC: Data Abort without a change of exception level
        b.ne    unexpected
        and     x16, x17, #0x3f         // DFSC: 0x13 for a walk's level -1, 0x14 to 0x17 for levels 0 to 3
        sub     x16, x16, #0x13
        cmp     x16, #4
        b.hi    unexpected
        mrs     x16, elr_el2
        add     x16, x16, #4
        msr     elr_el2, x16
        eret

unexpected:
        mov     x0, #3
        b       exit

        .balign 2048
vectors:
        .rept   16                      // every vector: from EL2 itself come only synchronous exceptions
        b       synchronous
        .balign 128
        .endr

        .bss
        .balign 4096
        .skip   65536
stack_top:
