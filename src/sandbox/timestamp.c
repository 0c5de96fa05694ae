/*
 * timestamp.c: asks OpenSSL's time-stamping responder, with no wire between.
 *
 * The responder wants its request as bytes, so one is made, encoded and read
 * again. Its serial numbers are random: nothing has to be counted or kept.
 */
#include "timestamp.h"

#include <stdbool.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/ts.h>

/* Some policy has to be named; this arc is given to nobody (X.660: joint-
 * iso-itu-t, examples). */
#define POLICY "2.999.1"
#define SERIAL_BITS 159 /* 20 octets, and positive */

/* --- the request -------------------------------------------------------- */

static bool set_imprint(TS_REQ *request, const void *bytes, size_t size) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length;
  TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
  X509_ALGOR *algorithm = X509_ALGOR_new();
  bool ok =
      imprint != NULL && algorithm != NULL &&
      EVP_Digest(bytes, size, digest, &length, EVP_sha256(), NULL) &&
      X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) &&
      TS_MSG_IMPRINT_set_algo(imprint, algorithm) &&
      TS_MSG_IMPRINT_set_msg(imprint, digest, (int)length) &&
      TS_REQ_set_msg_imprint(request, imprint);
  X509_ALGOR_free(algorithm);
  TS_MSG_IMPRINT_free(imprint);
  return ok;
}

/* What the responder reads, to be freed; NULL on failure. */
static BIO *make_request(const void *bytes, size_t size) {
  TS_REQ *request = TS_REQ_new();
  BIO *encoded = BIO_new(BIO_s_mem());
  bool ok = request != NULL && encoded != NULL &&
            TS_REQ_set_version(request, 1) &&
            set_imprint(request, bytes, size) &&
            TS_REQ_set_cert_req(request, 1) && i2d_TS_REQ_bio(encoded, request);
  TS_REQ_free(request);
  if (ok) return encoded;
  BIO_free(encoded);
  return NULL;
}

/* --- the responder ------------------------------------------------------ */

static ASN1_INTEGER *make_serial(TS_RESP_CTX *responder, void *unused) {
  BIGNUM *number = BN_new();
  ASN1_INTEGER *serial = NULL;
  (void)responder;
  (void)unused;
  if (number != NULL &&
      BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY))
    serial = BN_to_ASN1_INTEGER(number, NULL);
  BN_free(number);
  return serial;
}

static int tell_time(TS_RESP_CTX *responder, void *when, long *seconds,
                     long *microseconds) {
  (void)responder;
  *seconds = (long)(*(const When *)when / WHEN_SECOND);
  *microseconds = 0;
  return 1;
}

static bool set_certificates(TS_RESP_CTX *responder, const Identity *stamper) {
  STACK_OF(X509) *chain = sk_X509_new_null();
  bool ok = chain != NULL &&
            sk_X509_push(chain, pki_identity_issuer(stamper)) &&
            TS_RESP_CTX_set_signer_cert(responder,
                                        pki_identity_certificate(stamper)) &&
            TS_RESP_CTX_set_signer_key(responder, pki_identity_key(stamper)) &&
            TS_RESP_CTX_set_certs(responder, chain);
  sk_X509_free(chain);
  return ok;
}

static TS_RESP_CTX *make_responder(const Identity *stamper, When *when) {
  TS_RESP_CTX *responder = TS_RESP_CTX_new();
  ASN1_OBJECT *policy = OBJ_txt2obj(POLICY, 1);
  bool ok = responder != NULL && policy != NULL &&
            set_certificates(responder, stamper) &&
            TS_RESP_CTX_set_def_policy(responder, policy) &&
            TS_RESP_CTX_add_md(responder, EVP_sha256()) &&
            TS_RESP_CTX_set_signer_digest(responder, EVP_sha256()) &&
            TS_RESP_CTX_set_ess_cert_id_digest(responder, EVP_sha256());
  ASN1_OBJECT_free(policy);
  if (!ok) {
    TS_RESP_CTX_free(responder);
    return NULL;
  }
  TS_RESP_CTX_set_serial_cb(responder, make_serial, NULL);
  TS_RESP_CTX_set_time_cb(responder, tell_time, when);
  return responder;
}

int timestamp_make(const Identity *stamper, const void *bytes, size_t size,
                   When when, unsigned char **der, size_t *der_size) {
  BIO *request = make_request(bytes, size);
  TS_RESP_CTX *responder = make_responder(stamper, &when);
  TS_RESP *response = NULL;
  int length = -1;
  *der = NULL;
  if (request != NULL && responder != NULL)
    response = TS_RESP_create_response(responder, request);
  /* A refusal is a response too, but one without a token. */
  if (response != NULL && TS_RESP_get_token(response) != NULL)
    length = i2d_PKCS7(TS_RESP_get_token(response), der);
  TS_RESP_free(response);
  TS_RESP_CTX_free(responder);
  BIO_free(request);
  if (length <= 0) return -1;
  *der_size = (size_t)length;
  return 0;
}
