// judge.mjs: what pkijs and xadesjs say of signatures.
//
//     node judge.mjs cms CA.der [CMS.der CONTENT]...
//     node judge.mjs xades CA.der [SIGNED.xml]...
//
// They are not beside this file: JUDGES is the folder that has them. For each
// signature there is a line, "yes" for one that is valid and by that
// authority, otherwise "no", and what they say.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const judges = createRequire(resolve(process.env.JUDGES) + "/");
const load = (name) => import(pathToFileURL(judges.resolve(name)));
const bytesOf = (path) => new Uint8Array(readFileSync(path)).buffer;

const asn1 = await load("asn1js");
const pki = await load("pkijs");
pki.setEngine("node", new pki.CryptoEngine({ crypto: webcrypto }));

const certificateOf = (bytes) =>
  new pki.Certificate({ schema: asn1.fromBER(bytes).result });

async function cms(authority, message, content) {
  const info = new pki.ContentInfo({ schema: asn1.fromBER(message).result });
  const signed = new pki.SignedData({ schema: info.content });
  const said = await signed.verify({
    signer: 0, data: content, checkChain: true, extendedMode: true,
    trustedCerts: [certificateOf(authority)],
  });
  return [said.signatureVerified && said.signerCertificateVerified,
          said.message];
}

async function xades(authority, xml) {
  const { Application, SignedXml, Parse } = await load("xadesjs");
  const { DOMParser, XMLSerializer } = await load("@xmldom/xmldom");
  const { setNodeDependencies } = await load("xml-core");
  setNodeDependencies({ DOMParser, XMLSerializer, xpath: await load("xpath") });
  Application.setEngine("node", webcrypto);
  const document = Parse(Buffer.from(xml).toString("utf8"));
  const signature = new SignedXml(document);
  signature.LoadXml(document.documentElement);
  if (!(await signature.Verify())) return [false, "not valid"];
  // Which certificate it was is for us to ask.
  const [own] = signature.XmlSignature.KeyInfo.GetIterator()
    .flatMap((data) => data.Certificates ?? []);
  const issuer = certificateOf(authority);
  const known = await certificateOf(own.GetRaw().buffer).verify(issuer);
  const time = signature.SignedProperties.SignedSignatureProperties
    .SigningTime.Value;
  return [known, "signed at " + time.toISOString()];
}

const [kind, ca, ...paths] = process.argv.slice(2);
const judge = { cms, xades }[kind];
while (paths.length > 0) {
  let valid = false, said;
  try {
    const files = paths.splice(0, judge.length - 1);
    [valid, said] = await judge(bytesOf(ca), ...files.map(bytesOf));
  } catch (error) {
    said = error.message ?? error;
  }
  console.log(`${valid ? "yes" : "no"} ${said}`.replaceAll("\n", " "));
}
