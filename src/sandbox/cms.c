/*
 * cms.c: builds the SignerInfo's signed attributes and signs them by hand.
 *
 * CMS_final would do it in one call, but it reads the whole content and adds
 * a signingTime, which a PAdES baseline signature may not carry: there the
 * time belongs to the signature dictionary. So OpenSSL lays out the message
 * and adds signing-certificate-v2; the other attributes, contentType and
 * messageDigest, the signature over all three and the time stamp over that
 * are added here.
 */
#include "cms.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "timestamp.h"

static CMS_ContentInfo *new_message(const Identity *signer,
                                    CMS_SignerInfo **info) {
  const unsigned flags = CMS_PARTIAL | CMS_BINARY;
  STACK_OF(X509) *chain = sk_X509_new_null();
  CMS_ContentInfo *cms = NULL;
  if (chain != NULL && sk_X509_push(chain, pki_identity_issuer(signer)))
    cms = CMS_sign(NULL, NULL, chain, NULL, flags | CMS_DETACHED);
  sk_X509_free(chain); /* the certificates are still the signer's */
  if (cms == NULL) return NULL;
  *info = CMS_add1_signer(cms, pki_identity_certificate(signer),
                          pki_identity_key(signer), EVP_sha256(),
                          flags | CMS_CADES | CMS_NOSMIMECAP);
  if (*info != NULL) return cms;
  CMS_ContentInfo_free(cms);
  return NULL;
}

static bool add_attributes(CMS_SignerInfo *info, const unsigned char *digest) {
  return CMS_signed_add1_attr_by_NID(info, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                     OBJ_nid2obj(NID_pkcs7_data), -1) &&
         CMS_signed_add1_attr_by_NID(info, NID_pkcs9_messageDigest,
                                     V_ASN1_OCTET_STRING, digest,
                                     CMS_DIGEST_SIZE);
}

/*
 * The bytes that are signed, to be OPENSSL_free()d: the attributes as a SET
 * OF, not as the [0] they are in the message (RFC 5652, 5.4). i2d sorts them.
 */
static int attributes_der(const CMS_SignerInfo *info, unsigned char **der) {
  ASN1_SEQUENCE_ANY *set = sk_ASN1_TYPE_new_null();
  int size = -1, count = CMS_signed_get_attr_count(info);
  bool ok = set != NULL;
  for (int i = 0; ok && i < count; i++) {
    ASN1_TYPE *attribute = ASN1_TYPE_pack_sequence(
        ASN1_ITEM_rptr(X509_ATTRIBUTE), CMS_signed_get_attr(info, i), NULL);
    ok = attribute != NULL && sk_ASN1_TYPE_push(set, attribute) > 0;
    if (!ok) ASN1_TYPE_free(attribute);
  }
  if (ok) size = i2d_ASN1_SET_ANY(set, der);
  sk_ASN1_TYPE_pop_free(set, ASN1_TYPE_free);
  return size;
}

static bool sign_bytes(EVP_PKEY *key, const unsigned char *bytes, size_t size,
                       ASN1_OCTET_STRING *signature) {
  unsigned char value[512]; /* RSA-4096; P-256 takes 72 */
  size_t length = sizeof value;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool ok = context != NULL &&
            EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
            EVP_DigestSign(context, value, &length, bytes, size) == 1 &&
            ASN1_STRING_set(signature, value, (int)length);
  EVP_MD_CTX_free(context);
  return ok;
}

static bool sign_attributes(CMS_SignerInfo *info, EVP_PKEY *key) {
  unsigned char *der = NULL;
  int size = attributes_der(info, &der);
  bool ok = size > 0 && sign_bytes(key, der, (size_t)size,
                                   CMS_SignerInfo_get0_signature(info));
  OPENSSL_free(der);
  return ok;
}

/* Not signed, for it is made over the signature. */
static bool add_timestamp(CMS_SignerInfo *info, const Identity *stamper,
                          When when) {
  const ASN1_OCTET_STRING *signature = CMS_SignerInfo_get0_signature(info);
  unsigned char *token;
  size_t size;
  if (timestamp_make(stamper, ASN1_STRING_get0_data(signature),
                     (size_t)ASN1_STRING_length(signature), when, &token,
                     &size) != 0)
    return false;
  bool ok =
      CMS_unsigned_add1_attr_by_NID(info, NID_id_smime_aa_timeStampToken,
                                    V_ASN1_SEQUENCE, token, (int)size) == 1;
  OPENSSL_free(token);
  return ok;
}

int cms_sign_digest(const Identity *signer, const Identity *stamper, When when,
                    const unsigned char digest[CMS_DIGEST_SIZE],
                    unsigned char **der, size_t *size) {
  CMS_SignerInfo *info;
  CMS_ContentInfo *cms = new_message(signer, &info);
  int length = -1;
  *der = NULL;
  if (cms != NULL && add_attributes(info, digest) &&
      sign_attributes(info, pki_identity_key(signer)) &&
      add_timestamp(info, stamper, when))
    length = i2d_CMS_ContentInfo(cms, NULL);
  if (length > 0) *der = malloc((size_t)length);
  if (*der != NULL) {
    unsigned char *end = *der;
    *size = (size_t)i2d_CMS_ContentInfo(cms, &end);
  }
  CMS_ContentInfo_free(cms);
  return *der != NULL ? 0 : -1;
}
