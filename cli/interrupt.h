/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGINT, SIGTERM and SIGHUP while rows are read: the first one is noted, so
 * that the run can stop in order; a second one ends the process at once, as
 * they do at any other time (io/atomic_file.h).
 */
#ifndef HANSE_CLI_INTERRUPT_H
#define HANSE_CLI_INTERRUPT_H

/* From here on the first signal is noted. */
void hanse_interrupt_begin(void);

/* The signal that came, 0 for none. */
int hanse_interrupt_signal(void);

/* From here on a signal ends the process. */
void hanse_interrupt_end(void);

/* Ends the process as the signal would have, for the caller's shell to see. */
void hanse_interrupt_die(int signal_number);

#endif
