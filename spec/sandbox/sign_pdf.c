/*
 * sign_pdf.c: signs a PDF from a command line, for specs and outside judges.
 *
 *   sign_pdf FOLDER IN.pdf OUT.pdf [NAME]
 *
 * The authority lives in FOLDER, beside its certificate as ca.pem. Exit code:
 * 0 signed, 1 refused, 2 failed; what is wrong goes to stderr.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../src/sandbox/pades.h"
#include "../../src/sandbox/pki.h"

enum { FAILED = 2, NAME_ARGUMENT = 4 };

static int fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  return FAILED;
}

/* The whole file, to be freed; NULL on failure. */
static unsigned char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  unsigned char *bytes = NULL;
  long length = -1;
  if (fseek(file, 0, SEEK_END) == 0) length = ftell(file);
  if (length >= 0) bytes = malloc((size_t)length + 1);
  rewind(file);
  *size = bytes == NULL ? 0 : fread(bytes, 1, (size_t)length, file);
  fclose(file);
  return bytes;
}

static int write_file(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) return -1;
  size_t written = fwrite(bytes, 1, size, file);
  return fclose(file) == 0 && written == size ? 0 : -1;
}

static int write_ca(const Pki *pki, const char *folder) {
  char path[4096];
  const char *pem = pki_ca_pem(pki);
  size_t size = 0;
  while (pem[size] != 0)
    size++;
  snprintf(path, sizeof path, "%s/ca.pem", folder);
  return write_file(path, pem, size);
}

static int sign(const Pki *pki, const Identity *signer, const char *name,
                const char *in, const char *out) {
  size_t size;
  PadesLayout layout;
  unsigned char *pdf = read_file(in, &size);
  char why[256];
  if (pdf == NULL) return fail("cannot read the input");
  PadesRequest request = {.pdf = pdf,
                          .size = size,
                          .signer_name = name,
                          .reason = "I agree",
                          .when = when_now()};
  PadesResult result = pades_lay_out(&request, &layout, why, sizeof why);
  free(pdf);
  if (result != PADES_DONE) {
    fail(why);
    return result == PADES_REFUSED ? 1 : FAILED;
  }
  int code = pades_fill_in(&layout, signer, pki_stamper(pki), request.when) != 0
                 ? fail("cannot sign")
             : write_file(out, layout.pdf, layout.size) != 0
                 ? fail("cannot write the output")
                 : 0;
  free(layout.pdf);
  return code;
}

int main(int argc, char **argv) {
  char why[256];
  if (argc < NAME_ARGUMENT || argc > NAME_ARGUMENT + 1)
    return fail("usage: sign_pdf FOLDER IN.pdf OUT.pdf [NAME]");
  const char *name =
      argc > NAME_ARGUMENT ? argv[NAME_ARGUMENT] : "Ola Nordmann";
  Pki *pki = pki_open(argv[1], why, sizeof why);
  if (pki == NULL) return fail(why);
  Identity *signer = pki_issue(pki, name);
  int code = write_ca(pki, argv[1]) != 0 ? fail("cannot write ca.pem")
             : signer == NULL            ? fail("cannot issue a signer")
                              : sign(pki, signer, name, argv[2], argv[3]);
  pki_identity_free(signer);
  pki_close(pki);
  return code;
}
