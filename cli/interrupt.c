/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals noted while rows are read.
 */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

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

/* An ignored signal stays ignored (nohup). */
static void handle(void (*handler)(int))
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction action;
        if (sigaction(ending[i], NULL, &action) != 0 ||
            action.sa_handler == SIG_IGN)
            continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = handler;
        action.sa_flags = SA_RESTART;
        sigfillset(&action.sa_mask);
        (void)sigaction(ending[i], &action, NULL);
    }
}

void hanse_interrupt_begin(void)
{
    atomic_store(&noted_signal, 0);
    handle(note_signal);
}

int hanse_interrupt_signal(void)
{
    return atomic_load(&noted_signal);
}

void hanse_interrupt_end(void)
{
    handle(hanse_atomic_file_on_signal);
}

void hanse_interrupt_die(int signal_number)
{
    hanse_atomic_file_on_signal(signal_number);
}
