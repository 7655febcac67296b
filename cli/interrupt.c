/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals noted while rows are read.
 */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>

#include "io/atomic_file.h"

/* A signal handler has no argument. */
static atomic_int noted_signal;

static void note_signal(int signal_number)
{
    int expected = 0;
    if (!atomic_compare_exchange_strong(&noted_signal, &expected,
                                        signal_number))
        hanse_atomic_file_on_signal(signal_number);
}

void hanse_interrupt_begin(void)
{
    atomic_store(&noted_signal, 0);
    hanse_atomic_file_handle_signals(note_signal, SA_RESTART);
}

int hanse_interrupt_signal(void)
{
    return atomic_load(&noted_signal);
}

void hanse_interrupt_end(void)
{
    hanse_atomic_file_handle_signals(hanse_atomic_file_on_signal, SA_RESTART);
}

void hanse_interrupt_die(int signal_number)
{
    hanse_atomic_file_on_signal(signal_number);
}
