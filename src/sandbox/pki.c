/*
 * pki.c: makes, keeps and loads the authority; issues signers and servers.
 *
 * The authority's file holds its key and certificate, and those of the two
 * it vouches for as long, together, so that they cannot part. It is written
 * beside its place and linked there, which fails when another process was
 * first; either way the file that won is then loaded. After pki_open nothing
 * in Pki changes, so issuing needs no lock.
 */
#include "pki.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "label.h"

#define FILE_NAME "authority.pem"
#define ORGANISATION "Sandbox, no legal effect"
#define NAME_MOST 64      /* X.520: ub-common-name */
#define SERIAL_BITS 159   /* RFC 5280: 20 octets, and positive */
#define BACKDATE (-3600L) /* clocks of those who check may be behind */

/* Old results are to verify after years of the sandbox not being run. */
#define AUTHORITY_DAYS (20 * 365)
#define SIGNER_DAYS (10 * 365)
#define SERVER_DAYS 365 /* far below what clients bear with */
#define EXPIRED_DAYS (-1)

struct Identity {
  EVP_PKEY *key;
  X509 *certificate;
  X509 *issuer;
};

struct Pki {
  Identity *authority, *stamper, *merchant;
  char *pem;
};

typedef struct Extension {
  int nid;
  const char *value;
} Extension;

static const Extension authority_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_undef, NULL},
};

static const Extension signer_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,nonRepudiation"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_undef, NULL},
};

static const Extension stamper_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "critical,timeStamping"}, /* RFC 3161: and no other */
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_undef, NULL},
};

/* clang-format off */
#define SERVER_EXTENSIONS                           \
  {NID_basic_constraints, "critical,CA:FALSE"},     \
  {NID_key_usage, "critical,digitalSignature"},     \
  {NID_ext_key_usage, "serverAuth"},                \
  {NID_subject_key_identifier, "hash"},             \
  {NID_authority_key_identifier, "keyid:always"}
/* clang-format on */

static const Extension server_extensions[] = {
    SERVER_EXTENSIONS,
    {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
    {NID_undef, NULL},
};

static const Extension wrong_name_extensions[] = {
    SERVER_EXTENSIONS,
    {NID_subject_alt_name, "DNS:elsewhere.invalid"},
    {NID_undef, NULL},
};

/* What is certified of a key: whose it is, as what, and for how long. */
typedef struct Profile {
  const char *common_name;
  const Extension *extensions;
  int days; /* negative: it has ended by so many */
} Profile;

/* --- certificates ------------------------------------------------------- */

static bool set_serial(X509 *certificate) {
  BIGNUM *serial = BN_new();
  bool ok = serial != NULL &&
            BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
            BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));
  BN_free(serial);
  return ok;
}

static bool add_name(X509_NAME *name, int nid, const char *value) {
  return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                    (const unsigned char *)value, -1, -1, 0);
}

static bool set_subject(X509 *certificate, const char *common_name) {
  char *clean = label_clean(common_name, NAME_MOST);
  X509_NAME *name = X509_get_subject_name(certificate);
  bool ok = clean != NULL && add_name(name, NID_organizationName, ORGANISATION);
  /* X.520 has no empty names: a signer without one has no commonName. */
  if (ok && clean[0] != 0) ok = add_name(name, NID_commonName, clean);
  free(clean);
  return ok;
}

static bool add_extensions(X509 *certificate, X509 *issuer,
                           const Extension *extension) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  for (; extension->value != NULL; extension++) {
    X509_EXTENSION *made =
        X509V3_EXT_conf_nid(NULL, &context, extension->nid, extension->value);
    bool ok = made != NULL && X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
    if (!ok) return false;
  }
  return true;
}

/* From a little ago for `days`, but not beyond the issuer's own end. */
static bool set_validity(X509 *certificate, const X509 *issuer, int days) {
  ASN1_TIME *end = X509_getm_notAfter(certificate);
  int start = days < 0 ? 2 * days : 0; /* what has ended, began before */
  if (!X509_time_adj_ex(X509_getm_notBefore(certificate), start, BACKDATE,
                        NULL))
    return false;
  if (!X509_time_adj_ex(end, days, 0, NULL)) return false;
  if (issuer == certificate) return true;
  const ASN1_TIME *last = X509_get0_notAfter(issuer);
  return ASN1_TIME_compare(end, last) <= 0 ||
         X509_set1_notAfter(certificate, last);
}

/* A certificate for `key`; without an issuer it is its own. */
static X509 *certify(EVP_PKEY *key, const Profile *profile, X509 *issuer,
                     EVP_PKEY *issuer_key) {
  X509 *certificate = X509_new();
  if (certificate == NULL) return NULL;
  if (issuer == NULL) issuer = certificate;
  if (X509_set_version(certificate, X509_VERSION_3) &&
      set_serial(certificate) &&
      set_subject(certificate, profile->common_name) &&
      X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
      set_validity(certificate, issuer, profile->days) &&
      X509_set_pubkey(certificate, key) &&
      add_extensions(certificate, issuer, profile->extensions) &&
      X509_sign(certificate, issuer_key, EVP_sha256()) > 0)
    return certificate;
  X509_free(certificate);
  return NULL;
}

/* --- identities --------------------------------------------------------- */

void pki_identity_free(Identity *identity) {
  if (identity == NULL) return;
  EVP_PKEY_free(identity->key);
  X509_free(identity->certificate);
  X509_free(identity->issuer);
  free(identity);
}

/* The identity, taken apart unless it is whole. */
static Identity *check(Identity *identity) {
  if (identity != NULL && identity->key != NULL &&
      identity->certificate != NULL && identity->issuer != NULL &&
      X509_check_private_key(identity->certificate, identity->key))
    return identity;
  pki_identity_free(identity);
  return NULL;
}

/* Its issuer, or itself, if that is its authority. */
static void set_issuer(Identity *identity, const Identity *authority) {
  X509 *issuer = authority ? authority->certificate : identity->certificate;
  if (issuer != NULL && X509_up_ref(issuer)) identity->issuer = issuer;
}

static Identity *issue(const Identity *authority, const Profile *profile) {
  Identity *identity = calloc(1, sizeof *identity);
  if (identity == NULL) return NULL;
  identity->key = EVP_EC_gen("P-256");
  if (identity->key != NULL)
    identity->certificate = certify(identity->key, profile,
                                    authority ? authority->certificate : NULL,
                                    authority ? authority->key : identity->key);
  set_issuer(identity, authority);
  return check(identity);
}

static Identity *issue_authority(void) {
  char name[32];
  unsigned char mark[4];
  const Profile profile = {name, authority_extensions, AUTHORITY_DAYS};
  /* Marked, because viewers mix up authorities that share a name. */
  if (RAND_bytes(mark, sizeof mark) != 1) return NULL;
  snprintf(name, sizeof name, "Sandbox CA %02x%02x%02x%02x", mark[0], mark[1],
           mark[2], mark[3]);
  return issue(NULL, &profile);
}

/* --- the authority's file ----------------------------------------------- */

static void explain(char *why, size_t size, const char *what,
                    const char *path) {
  snprintf(why, size, "cannot %s %s: %s", what, path, strerror(errno));
}

static bool write_identity(FILE *file, const Identity *identity) {
  return identity != NULL &&
         PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL) &&
         PEM_write_X509(file, identity->certificate);
}

static const Profile stamper_profile = {"Sandbox time stamps",
                                        stamper_extensions, SIGNER_DAYS};
static const Profile merchant_profile = {"Sandbox merchant", signer_extensions,
                                         SIGNER_DAYS};

/* Three fresh identities, onto a stream that is closed here. */
static bool write_authority(FILE *file) {
  Identity *authority = issue_authority(), *stamper = NULL, *merchant = NULL;
  if (authority != NULL) {
    stamper = issue(authority, &stamper_profile);
    merchant = issue(authority, &merchant_profile);
  }
  errno = EIO; /* for what OpenSSL fails at without saying */
  bool ok = write_identity(file, authority) && write_identity(file, stamper) &&
            write_identity(file, merchant) && fflush(file) == 0 &&
            fsync(fileno(file)) == 0;
  pki_identity_free(authority);
  pki_identity_free(stamper);
  pki_identity_free(merchant);
  return fclose(file) == 0 && ok;
}

static void sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

/* 0 when the file is there now, whoever made it; otherwise errno is set. */
static int make_authority(const char *folder, const char *path) {
  char temporary[PATH_MAX];
  snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
  int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
  if (fd < 0) return -1;
  FILE *file = fdopen(fd, "w");
  if (file == NULL) close(fd);
  bool made = file != NULL && write_authority(file) &&
              (link(temporary, path) == 0 || errno == EEXIST);
  int reason = errno;
  unlink(temporary);
  sync_folder(folder);
  errno = reason;
  return made ? 0 : -1;
}

static char *pem_of(X509 *certificate) {
  char *data, *pem = NULL;
  BIO *memory = BIO_new(BIO_s_mem());
  if (memory != NULL && PEM_write_bio_X509(memory, certificate)) {
    long size = BIO_get_mem_data(memory, &data);
    pem = strndup(data, (size_t)size);
  }
  BIO_free(memory);
  return pem;
}

/* The next in the file. */
static Identity *read_identity(FILE *file, const Identity *authority) {
  Identity *identity = calloc(1, sizeof *identity);
  if (identity == NULL) return NULL;
  identity->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
  identity->certificate = PEM_read_X509(file, NULL, NULL, NULL);
  set_issuer(identity, authority);
  return check(identity);
}

static bool load_authority(Pki *pki, FILE *file) {
  pki->authority = read_identity(file, NULL);
  if (pki->authority == NULL) return false;
  pki->stamper = read_identity(file, pki->authority);
  pki->merchant = read_identity(file, pki->authority);
  pki->pem = pem_of(pki->authority->certificate);
  return pki->stamper != NULL && pki->merchant != NULL && pki->pem != NULL;
}

Pki *pki_open(const char *folder, char *why, size_t size) {
  char path[PATH_MAX - 8]; /* room for the temporary file's ending */
  int length = snprintf(path, sizeof path, "%s/" FILE_NAME, folder);
  if (length < 0 || (size_t)length >= sizeof path) {
    snprintf(why, size, "the folder's name is too long");
    return NULL;
  }
  if (access(path, F_OK) != 0 && make_authority(folder, path) != 0) {
    explain(why, size, "write", path);
    return NULL;
  }
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    explain(why, size, "read", path);
    return NULL;
  }
  Pki *pki = calloc(1, sizeof *pki);
  if (pki == NULL || !load_authority(pki, file)) {
    snprintf(why, size, "%s holds no usable key and certificate", path);
    pki_close(pki);
    pki = NULL;
  }
  fclose(file);
  return pki;
}

void pki_close(Pki *pki) {
  if (pki == NULL) return;
  pki_identity_free(pki->authority);
  pki_identity_free(pki->stamper);
  pki_identity_free(pki->merchant);
  free(pki->pem);
  free(pki);
}

const char *pki_ca_pem(const Pki *pki) {
  return pki->pem;
}

const Identity *pki_stamper(const Pki *pki) {
  return pki->stamper;
}

const Identity *pki_merchant(const Pki *pki) {
  return pki->merchant;
}

/* --- signers and servers ------------------------------------------------ */

Identity *pki_issue(Pki *pki, const char *common_name) {
  const Profile profile = {common_name, signer_extensions, SIGNER_DAYS};
  return issue(pki->authority, &profile);
}

/* By an authority that is forgotten as soon as it has signed. */
static Identity *issue_untrusted(const Profile *profile) {
  Identity *authority = issue_authority();
  Identity *identity = authority ? issue(authority, profile) : NULL;
  pki_identity_free(authority);
  return identity;
}

Identity *pki_issue_server(Pki *pki, PkiServer kind) {
  Profile profile = {"Sandbox server", server_extensions, SERVER_DAYS};
  if (kind == PKI_UNTRUSTED) return issue_untrusted(&profile);
  if (kind == PKI_WRONG_NAME) profile.extensions = wrong_name_extensions;
  if (kind == PKI_EXPIRED) profile.days = EXPIRED_DAYS;
  return issue(pki->authority, &profile);
}

char *pki_identity_key_pem(const Identity *identity) {
  char *data, *pem = NULL;
  BIO *memory = BIO_new(BIO_s_mem());
  if (memory != NULL && PEM_write_bio_PrivateKey(memory, identity->key, NULL,
                                                 NULL, 0, NULL, NULL)) {
    long size = BIO_get_mem_data(memory, &data);
    pem = strndup(data, (size_t)size);
  }
  BIO_free(memory);
  return pem;
}

char *pki_identity_certificate_pem(const Identity *identity) {
  return pem_of(identity->certificate);
}

EVP_PKEY *pki_identity_key(const Identity *identity) {
  return identity->key;
}

X509 *pki_identity_certificate(const Identity *identity) {
  return identity->certificate;
}

X509 *pki_identity_issuer(const Identity *identity) {
  return identity->issuer;
}
