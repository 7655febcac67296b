/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes on the passes of a job, for people.
 */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/models/models.h"

static void clear_note(hanse_pass_note *note)
{
    free(note->step);
    free(note->reads);
    free(note->computes);
    free(note->writes);
}

hanse_status hanse_pass_notes_add(hanse_pass_notes *notes, const char *step,
                                  const char *reads, const char *computes,
                                  const char *writes, uint64_t bytes,
                                  hanse_error *error)
{
    hanse_pass_note note = {hanse_text_copy(step), hanse_text_copy(reads),
                            hanse_text_copy(computes), hanse_text_copy(writes),
                            bytes};
    hanse_pass_note *larger =
        realloc(notes->notes, (notes->n + 1) * sizeof *larger);
    if (larger != NULL)
        notes->notes = larger;
    if (larger == NULL || note.step == NULL || note.computes == NULL ||
        (reads != NULL && note.reads == NULL) ||
        (writes != NULL && note.writes == NULL)) {
        clear_note(&note);
        return hanse_fail_nomem(error, "passes", sizeof note);
    }
    notes->notes[notes->n++] = note;
    return HANSE_OK;
}

void hanse_pass_notes_clear(hanse_pass_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++)
        clear_note(&notes->notes[i]);
    free(notes->notes);
    *notes = (hanse_pass_notes){0};
}
