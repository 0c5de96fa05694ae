/*
 * xades.c: lays an XAdES signature out and has libxmlsec1 fill it in.
 *
 * The layout is text with a few gaps. Its parsed form gets the document as
 * one text node, encoded as it is read and never copied again: libxmlsec1
 * decodes it in pieces for its digest, and libxml2 writes it out in pieces.
 * All references point into the file itself; nothing is ever fetched.
 */
#include "xades.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlsave.h>

#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <xmlsec/xmlsec.h>

#include <xmlsec/crypto.h>
#include <xmlsec/io.h>
#include <xmlsec/keys.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmltree.h>

#include "timestamp.h"

#define DS "http://www.w3.org/2000/09/xmldsig#"
#define EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ECDSA_SHA256 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
#define SHA256 "http://www.w3.org/2001/04/xmlenc#sha256"
#define XADES "http://uri.etsi.org/01903/v1.3.2#"
#define SIGNED_PROPERTIES "http://uri.etsi.org/01903#SignedProperties"

/* The document comes last: what a person looks for is at the beginning. */
#define LAYOUT                                                                 \
  "<ds:Signature xmlns:ds='" DS "' Id='signature'>\n"                          \
  "  <ds:SignedInfo>\n"                                                        \
  "    <ds:CanonicalizationMethod Algorithm='" EXCLUSIVE "'/>\n"               \
  "    <ds:SignatureMethod Algorithm='" ECDSA_SHA256 "'/>\n"                   \
  "    <ds:Reference Id='document-reference' URI='#document'>\n"               \
  "      <ds:Transforms>\n"                                                    \
  "        <ds:Transform Algorithm='" DS "base64'/>\n"                         \
  "      </ds:Transforms>\n"                                                   \
  "      <ds:DigestMethod Algorithm='" SHA256 "'/>\n"                          \
  "      <ds:DigestValue/>\n"                                                  \
  "    </ds:Reference>\n"                                                      \
  "    <ds:Reference Type='" SIGNED_PROPERTIES "' URI='#signed-properties'>\n" \
  "      <ds:Transforms>\n"                                                    \
  "        <ds:Transform Algorithm='" EXCLUSIVE "'/>\n"                        \
  "      </ds:Transforms>\n"                                                   \
  "      <ds:DigestMethod Algorithm='" SHA256 "'/>\n"                          \
  "      <ds:DigestValue/>\n"                                                  \
  "    </ds:Reference>\n"                                                      \
  "  </ds:SignedInfo>\n"                                                       \
  "  <ds:SignatureValue/>\n"                                                   \
  "  <ds:KeyInfo>\n"                                                           \
  "    <ds:X509Data>\n"                                                        \
  "      <ds:X509Certificate>%s</ds:X509Certificate>\n"                        \
  "      <ds:X509Certificate>%s</ds:X509Certificate>\n"                        \
  "    </ds:X509Data>\n"                                                       \
  "  </ds:KeyInfo>\n"                                                          \
  "  <ds:Object>\n"                                                            \
  "    <xades:QualifyingProperties Target='#signature'\n"                      \
  "        xmlns:xades='" XADES "'>\n"                                         \
  "      <xades:SignedProperties Id='signed-properties'>\n"                    \
  "        <xades:SignedSignatureProperties>\n"                                \
  "          <xades:SigningTime>%s</xades:SigningTime>\n"                      \
  "          <xades:SigningCertificateV2>\n"                                   \
  "            <xades:Cert>\n"                                                 \
  "              <xades:CertDigest>\n"                                         \
  "                <ds:DigestMethod Algorithm='" SHA256 "'/>\n"                \
  "                <ds:DigestValue>%s</ds:DigestValue>\n"                      \
  "              </xades:CertDigest>\n"                                        \
  "              <xades:IssuerSerialV2>%s</xades:IssuerSerialV2>\n"            \
  "            </xades:Cert>\n"                                                \
  "          </xades:SigningCertificateV2>\n"                                  \
  "        </xades:SignedSignatureProperties>\n"                               \
  "        <xades:SignedDataObjectProperties>\n"                               \
  "          <xades:DataObjectFormat ObjectReference="                         \
  "'#document-reference'>\n"                                                   \
  "            <xades:MimeType>%s</xades:MimeType>\n"                          \
  "          </xades:DataObjectFormat>\n"                                      \
  "        </xades:SignedDataObjectProperties>\n"                              \
  "      </xades:SignedProperties>\n"                                          \
  "      <xades:UnsignedProperties>\n"                                         \
  "        <xades:UnsignedSignatureProperties>\n"                              \
  "          <xades:SignatureTimeStamp>\n"                                     \
  "            <ds:CanonicalizationMethod Algorithm='" EXCLUSIVE "'/>\n"       \
  "            <xades:EncapsulatedTimeStamp/>\n"                               \
  "          </xades:SignatureTimeStamp>\n"                                    \
  "        </xades:UnsignedSignatureProperties>\n"                             \
  "      </xades:UnsignedProperties>\n"                                        \
  "    </xades:QualifyingProperties>\n"                                        \
  "  </ds:Object>\n"                                                           \
  "  <ds:Object Id='document' Encoding='" DS "base64'/>\n"                     \
  "</ds:Signature>\n"

/* The bytes of one line of Base64, before and after (with its end). */
enum { LINE = 48, LINE_ENCODED = 65 };

static bool fail(const char *what) {
  fprintf(stderr, "signicat-sandbox: no XAdES signature: %s\n", what);
  return false;
}

/* --- the signer --------------------------------------------------------- */

/* RFC 5035, which OpenSSL knows but does not show. */
typedef struct IssuerSerial {
  GENERAL_NAMES *issuer;
  ASN1_INTEGER *serial;
} IssuerSerial;

/* clang-format off */
ASN1_SEQUENCE(IssuerSerial) = {
  ASN1_SEQUENCE_OF(IssuerSerial, issuer, GENERAL_NAME),
  ASN1_SIMPLE(IssuerSerial, serial, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END(IssuerSerial)
    /* clang-format on */

    /* One line of Base64, to be freed; NULL on failure. */
    static char *
    encode(const unsigned char *bytes, int size) {
  char *text = malloc((size_t)size / 3 * 4 + 5);
  if (text) EVP_EncodeBlock((unsigned char *)text, bytes, size);
  return text;
}

/* The DER form of a value, likewise. */
static char *encode_item(const ASN1_ITEM *item, const void *value) {
  unsigned char *der = NULL;
  int size = ASN1_item_i2d(value, &der, item);
  char *text = size > 0 ? encode(der, size) : NULL;
  OPENSSL_free(der);
  return text;
}

static char *encode_issuer_serial(X509 *certificate) {
  GENERAL_NAME name = {
      .type = GEN_DIRNAME,
      .d = {.directoryName = X509_get_issuer_name(certificate)}};
  IssuerSerial both = {.issuer = GENERAL_NAMES_new(),
                       .serial = X509_get_serialNumber(certificate)};
  char *text = NULL;
  if (both.issuer && sk_GENERAL_NAME_push(both.issuer, &name))
    text = encode_item(ASN1_ITEM_rptr(IssuerSerial), &both);
  sk_GENERAL_NAME_free(both.issuer); /* the name is the certificate's */
  return text;
}

static char *encode_digest(const X509 *certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size;
  if (!X509_digest(certificate, EVP_sha256(), digest, &size)) return NULL;
  return encode(digest, (int)size);
}

/* --- the layout --------------------------------------------------------- */

/* What its gaps take; each fit for XML as it is. */
typedef struct Values {
  char *signer, *issuer; /* certificates */
  char time[WHEN_SIZE];
  char *digest, *issuer_serial; /* of the signer's certificate */
  xmlChar *mime;
} Values;

static bool set_values(Values *values, const Identity *signer,
                       const XadesRequest *request) {
  X509 *certificate = pki_identity_certificate(signer);
  const ASN1_ITEM *x509 = ASN1_ITEM_rptr(X509);
  values->signer = encode_item(x509, certificate);
  values->issuer = encode_item(x509, pki_identity_issuer(signer));
  when_format(request->when / WHEN_SECOND * WHEN_SECOND, values->time);
  values->digest = encode_digest(certificate);
  values->issuer_serial = encode_issuer_serial(certificate);
  values->mime = xmlEncodeSpecialChars(NULL, BAD_CAST request->mime);
  return values->signer && values->issuer && values->digest &&
         values->issuer_serial && values->mime;
}

static void free_values(Values *values) {
  free(values->signer);
  free(values->issuer);
  free(values->digest);
  free(values->issuer_serial);
  xmlFree(values->mime);
}

/* The signature without its document and its digests; NULL on failure. */
static xmlDocPtr lay_out(const Identity *signer, const XadesRequest *request) {
  Values values = {.signer = NULL};
  char *text = NULL;
  int size = -1;
  if (set_values(&values, signer, request))
    size = asprintf(&text, LAYOUT, values.signer, values.issuer, values.time,
                    values.digest, values.issuer_serial, values.mime);
  free_values(&values);
  if (size < 0) return NULL;
  xmlDocPtr xml = xmlReadMemory(text, size, NULL, "UTF-8", XML_PARSE_NONET);
  free(text);
  return xml;
}

/* --- the document ------------------------------------------------------- */

/* Exactly `size` bytes of the file, encoded in lines into `out`. */
static bool encode_file(const XadesRequest *request, EVP_ENCODE_CTX *lines,
                        unsigned char *out) {
  unsigned char piece[256 * LINE];
  uint64_t left = request->size;
  int written;
  *out++ = '\n';
  EVP_EncodeInit(lines);
  while (left > 0) {
    ssize_t got = read(request->document, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || (uint64_t)got > left ||
        !EVP_EncodeUpdate(lines, out, &written, piece, (int)got))
      return false;
    out += written;
    left -= (uint64_t)got;
  }
  EVP_EncodeFinal(lines, out, &written);
  out[written] = '\0';
  return true;
}

/* libxml2's to free. */
static xmlChar *encode_document(const XadesRequest *request) {
  if (request->size > XADES_MOST) return NULL;
  size_t lines = (size_t)request->size / LINE + 1;
  xmlChar *text = xmlMalloc(lines * LINE_ENCODED + 2);
  EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
  bool done = text && context && encode_file(request, context, text);
  EVP_ENCODE_CTX_free(context);
  if (done) return text;
  xmlFree(text);
  return NULL;
}

static bool put_document(xmlDocPtr xml, const XadesRequest *request) {
  xmlNodePtr object = xmlLastElementChild(xmlDocGetRootElement(xml));
  xmlNodePtr node = xmlNewDocText(xml, NULL);
  if (!node) return false;
  node->content = encode_document(request); /* xmlNewText would copy it */
  if (node->content && xmlAddChild(object, node)) return true;
  xmlFreeNode(node);
  return false;
}

/* --- the signature ------------------------------------------------------ */

static xmlSecKeyPtr make_key(EVP_PKEY *pkey) {
  xmlSecKeyPtr key = xmlSecKeyCreate();
  if (!key || !EVP_PKEY_up_ref(pkey)) {
    if (key) xmlSecKeyDestroy(key);
    return NULL;
  }
  xmlSecKeyDataPtr value = xmlSecOpenSSLEvpKeyAdopt(pkey);
  if (!value)
    EVP_PKEY_free(pkey);
  else if (xmlSecKeySetValue(key, value) == 0)
    return key;
  else
    xmlSecKeyDataDestroy(value);
  xmlSecKeyDestroy(key);
  return NULL;
}

static bool fill_in(xmlDocPtr xml, const Identity *signer) {
  const xmlChar *ids[] = {BAD_CAST "Id", NULL};
  xmlNodePtr root = xmlDocGetRootElement(xml);
  xmlSecDSigCtxPtr context = xmlSecDSigCtxCreate(NULL);
  if (!context) return false;
  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  context->signKey = make_key(pki_identity_key(signer)); /* its to free */
  xmlSecAddIDs(xml, root, ids);
  bool done = context->signKey && xmlSecDSigCtxSign(context, root) == 0 &&
              context->status == xmlSecDSigStatusSucceeded;
  xmlSecDSigCtxDestroy(context);
  return done;
}

/* --- the time stamp ------------------------------------------------------ */

/* The canonical form keeps what is inside `user`, an element; a namespace is
 * inside if its element is. */
static int is_inside(void *user, xmlNodePtr node, xmlNodePtr parent) {
  if (node->type == XML_NAMESPACE_DECL) node = parent;
  while (node && node != user)
    node = node->parent;
  return node != NULL;
}

/* Whether the token over the canonical element was set as a text. */
static bool stamp(const XadesRequest *request, xmlNodePtr element,
                  xmlNodePtr place) {
  unsigned char *der = NULL;
  size_t size;
  char *text = NULL;
  xmlOutputBufferPtr form = xmlAllocOutputBuffer(NULL);
  if (form &&
      xmlC14NExecute(element->doc, is_inside, element, XML_C14N_EXCLUSIVE_1_0,
                     NULL, 0, form) >= 0 &&
      timestamp_make(request->stamper, xmlOutputBufferGetContent(form),
                     xmlOutputBufferGetSize(form), request->when, &der,
                     &size) == 0)
    text = encode(der, (int)size);
  if (form) xmlOutputBufferClose(form);
  OPENSSL_free(der);
  xmlNodePtr node = text ? xmlNewDocText(element->doc, BAD_CAST text) : NULL;
  free(text);
  return node && xmlAddChild(place, node);
}

static bool add_timestamp(xmlDocPtr xml, const XadesRequest *request) {
  xmlNodePtr root = xmlDocGetRootElement(xml);
  xmlNodePtr value =
      xmlSecFindNode(root, xmlSecNodeSignatureValue, BAD_CAST DS);
  xmlNodePtr place =
      xmlSecFindNode(root, BAD_CAST "EncapsulatedTimeStamp", BAD_CAST XADES);
  return value && place && stamp(request, value, place);
}

/* --- the result --------------------------------------------------------- */

typedef struct Sink {
  XadesWrite *write;
  void *context;
  bool failed; /* libxml2 forgets */
} Sink;

static int write_piece(void *context, const char *bytes, int size) {
  Sink *sink = context;
  if (!sink->failed)
    sink->failed = !sink->write(sink->context, bytes, (size_t)size);
  return sink->failed ? -1 : size;
}

static bool write_out(xmlDocPtr xml, XadesWrite *write, void *context) {
  Sink sink = {.write = write, .context = context};
  xmlSaveCtxtPtr save = xmlSaveToIO(write_piece, NULL, &sink, "UTF-8", 0);
  if (!save) return false;
  bool saved = xmlSaveDoc(save, xml) >= 0;
  return xmlSaveClose(save) >= 0 && saved && !sink.failed;
}

bool xades_sign(const Identity *signer, const XadesRequest *request,
                XadesWrite *write, void *context) {
  xmlDocPtr xml = lay_out(signer, request);
  bool done = false;
  if (!xml)
    fail("it cannot be laid out");
  else if (!put_document(xml, request))
    fail("the document cannot be read, or is too large");
  else if (!fill_in(xml, signer))
    fail("libxmlsec1 does not make it");
  else if (!add_timestamp(xml, request))
    fail("the time cannot be certified");
  else
    done = write_out(xml, write, context) || fail("it is not written");
  xmlFreeDoc(xml);
  return done;
}

/* --- the libraries ------------------------------------------------------ */

/* Without xmlSecCryptoAppInit: OpenSSL is not libxmlsec1's alone to set up
 * here, nor to clean up. */
bool xades_start(void) {
  xmlInitParser();
  if (xmlSecInit() == 0) {
    xmlSecIOCleanupCallbacks(); /* no files, no http: nothing is fetched */
    if (xmlSecCryptoInit() == 0) return true;
    xmlSecShutdown();
  }
  xmlCleanupParser();
  return fail("libxmlsec1 does not start");
}

void xades_end(void) {
  xmlSecCryptoShutdown();
  xmlSecShutdown();
  xmlCleanupParser();
}
