// http2.mjs - an upload over HTTP/2 by node: URL CAFILE AUTHORIZATION CONTENT-TYPE BODY. Prints status and
// answer; exit 0 for 200.
import fs from "node:fs";
import http2 from "node:http2";

const [url, cafile, authorization, type, body] = process.argv.slice(2);
const at = new URL(url);
const session = http2.connect(at.origin, { ca: fs.readFileSync(cafile) });
const fail = (why) => { console.log("failed: " + why); process.exit(2); };
session.on("error", fail);
const request = session.request({
    ":method": "POST", ":path": at.pathname, authorization, "content-type": type,
    "content-length": fs.statSync(body).size, "user-agent": "node",
});
let status = 0, text = "";
request.setEncoding("utf8");
request.on("response", (headers) => { status = headers[":status"]; });
request.on("data", (data) => { text += data; });
request.on("error", fail);
request.on("end", () => {
    console.log("status=" + status + "\n" + text);
    session.close();
    process.exit(status === 200 ? 0 : 1);
});
fs.createReadStream(body).pipe(request);
