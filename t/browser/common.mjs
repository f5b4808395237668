// common.mjs - what the scripts for Chromium share: what they are told, how they tell, an authenticator.
//
// Standard input: one JSON object (see browser.t, pages_story.t). Standard output: one JSON array a check: good, name,
// what was seen.
import { readFileSync } from "fs";
import { createHmac } from "crypto";
import { createRequire } from "module";

export const site = JSON.parse(readFileSync(0, "utf8"));
export const { chromium } = createRequire(site.modules + "/")("playwright-core");
export const launch = {
  executablePath: site.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

export function ok(good, name, seen = "") {
  console.log(JSON.stringify([Boolean(good), name, String(seen)]));
  return good;
}

// RFC 6238 with SHA-1 and six digits. step: -1, 0 or 1 from now.
export function code(user, step = 0) {
  let bits = "";
  for (const c of site.users[user].secret.replace(/=+$/, "")) {
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0");
  }
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}
