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
#include <stdbool.h>

#include "pades.h"

/* The command line of such a process: this alone. */
#define PRESS_OPTION "--press"

/* For press_open: longer than the minute of work that each order has, as
 * several may share a processor. */
#define PRESS_SECONDS 180

typedef struct Press Press;

/* For the documents of that folder (blob.h), which stays open longer than
 * this. No order may take more than so many seconds. NULL: no descriptor. */
Press *press_open(int documents, int seconds);
void press_close(Press *press); /* NULL is allowed */

/*
 * Has an order carried out:
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
PadesResult press_run(Press *press, json_t *taken, PadesLayout *layout,
                      char *why, size_t why_size);
void press_free(PadesLayout *layout);

/* What is under way has so many milliseconds left, then its process is ended;
 * from then on everything is PADES_FAILED. */
void press_stop(Press *press, int milliseconds);
bool press_has_stopped(const Press *press);

/* What such a process does; its exit status. */
int press_main(void);

#endif
