/*
 * container.h: one PDF of many files, before it is sealed.
 *
 * First the documents' pages, then a page of evidence for each signature;
 * the documents as they were uploaded and their signed forms are attached,
 * byte for byte. For the process that makes PDFs (press.h) alone: memory is
 * left to its end.
 */
#ifndef SANDBOX_CONTAINER_H
#define SANDBOX_CONTAINER_H

#include <jansson.h>

#include "pades.h"

/*
 * Carries out press.h's order `pack` on the documents of that folder. On
 * PADES_DONE there is a PDF; otherwise `why` is one sentence, which names the
 * document if one is to blame.
 */
PadesResult container_make(const json_t *order, int documents,
                           unsigned char **pdf, size_t *size, char *why,
                           size_t why_size);

#endif
