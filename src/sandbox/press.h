/*
 * press.h: PDFs are read and made in a process of their own.
 *
 * The libraries for that are large, and their input is anybody's. So the
 * executable starts itself once more for each order, with limits on memory
 * and time: what goes wrong there ends that process, and is a refusal here.
 * It gets documents and gives a PDF with blanks for a signature; keys stay
 * on this side.
 */
#ifndef SANDBOX_PRESS_H
#define SANDBOX_PRESS_H

#include <jansson.h>

#include "pades.h"

/* The command line of such a process: this alone. */
#define PRESS_OPTION "--press"

/*
 * Has an order carried out on the documents of that folder (blob.h):
 *
 *   {sign: id, name, when}
 *   {pack: [file], evidence: [[[label, value]]], files: [file],
 *    name, reason, when}       where a file is {id, name, mime, about, kin},
 *                              and of `pack` has pdf, whether it is one
 *
 * Takes the order. On PADES_DONE the layout is to be ended with press_free;
 * otherwise `why` is one sentence for a problem's detail. Threads may call
 * this at the same time.
 */
PadesResult press_run(int documents, json_t *taken, PadesLayout *layout,
                      char *why, size_t why_size);
void press_free(PadesLayout *layout);

/* What such a process does; its exit status. */
int press_main(void);

#endif
