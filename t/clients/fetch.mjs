// fetch.mjs - an upload by node's fetch (undici, HTTP/1.1): URL AUTHORIZATION CONTENT-TYPE BODY. Prints
// status and answer; exit 0 for 200.
import fs from "node:fs";

const [url, authorization, type, body] = process.argv.slice(2);
try {
    const response = await fetch(url, {
        method: "POST", headers: { authorization, "content-type": type }, body: fs.readFileSync(body),
    });
    console.log("status=" + response.status + " " + response.statusText + "\n" + await response.text());
    process.exitCode = response.status === 200 ? 0 : 1;
} catch (why) {
    console.log("failed: " + why + " " + (why.cause ?? ""));
    process.exitCode = 2;
}
