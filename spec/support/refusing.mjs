// A server of HTTP/2 whose streams have no window at first: node refusing.mjs
// KEY CERTIFICATE. Prints its port.
//
// The first POST is refused before a byte of its body could leave, if the
// client has made a GET before, which tells it; those that follow get a window,
// and an answer that tells how long their body was.

import { readFileSync } from "node:fs";
import { constants, createSecureServer } from "node:http2";

const [key, cert] = process.argv.slice(2).map((path) => readFileSync(path));
const server = createSecureServer({ key, cert,
  settings: { initialWindowSize: 0 } });
let seen = 0;

server.on("stream", (stream, headers) => {
  let length = 0;
  stream.on("error", () => {});
  if (headers[":method"] === "GET") {
    stream.respond({ ":status": 200 });
    stream.end();
    return;
  }
  seen += 1;
  if (seen === 1) {
    setTimeout(() => stream.close(constants.NGHTTP2_REFUSED_STREAM), 100);
    return;
  }
  stream.session.settings({ initialWindowSize: 65535 });
  stream.on("data", (bytes) => { length += bytes.length; });
  stream.on("end", () => {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(JSON.stringify({ documentId:
      "d1234567-89ab-cdef-0123-456789abcdef", seen, length }));
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
