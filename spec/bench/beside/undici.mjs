// undici.mjs: the same GETs with node's undici, so many at a time.
//
//     node undici.mjs COUNT PORT PATH [AT_ONCE]
//
// undici is not beside this file: BESIDE is the folder that has it.

import { createRequire } from "node:module";
import { resolve } from "node:path";

const { Pool } = createRequire(resolve(process.env.BESIDE) + "/")("undici");

const [count, port, path, atOnce = "1"] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${port}`,
                      { connections: Number(atOnce), pipelining: 1 });
const headers = { accept: "application/json",
                  authorization: "Bearer bench" };

let left = Number(count);
async function work() {
  while (left-- > 0) {
    const { statusCode, body } =
      await pool.request({ path, method: "GET", headers });
    const session = await body.json();
    if (statusCode !== 200 || !session.id || !session.title ||
        session.lifecycle.state !== "READY") {
      throw new Error("not the session");
    }
  }
}
await Promise.all(Array.from({ length: Number(atOnce) }, work));
await pool.close();
