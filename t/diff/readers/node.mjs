// node.mjs NAME - busboy, multiparty or formidable reads forms. Records in, lines of JSON out: see wsgi.py.
// NODE_MODULES: the directory that npm filled.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

const kind = process.argv[2];
const root = process.env.NODE_MODULES;
const need = createRequire(root + "/package.json");
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

// A body comes in pieces over the wire, of any size; of few sizes here, so that a run can be repeated.
function pieces(body) {
  const size = [65536, 8192, 1460, 511][body.length % 4], list = [];
  for (let at = 0; at < body.length; at += size) list.push(body.subarray(at, at + size));
  return list;
}

function request(ctype, body) {
  const stream = Readable.from(pieces(body), { objectMode: false });
  stream.headers = { "content-type": ctype, "content-length": String(body.length) };
  stream.method = "POST";
  return stream;
}

function answer(fields, filename, data, names) {
  const one = (name) => (fields[name] === undefined ? null : fields[name]);
  return { name: one("name"), version: one("version"), action: one(":action"), filename,
    sha256: data === null ? null : sha256(data), fields: [...new Set(names)].sort() };
}

function busboy(ctype, body) {
  return new Promise((resolve, reject) => {
    const req = request(ctype, body), fields = {}, names = [];
    const form = need("busboy")({ headers: req.headers });
    let filename = null, data = null;
    form.on("field", (name, value) => { fields[name] = value; names.push(name); });
    form.on("file", (name, stream, info) => {
      const pieces = [];
      names.push(name);
      stream.on("error", reject);
      stream.on("data", (piece) => pieces.push(piece));
      stream.on("end", () => {
        if (name === "content") { filename = info.filename; data = Buffer.concat(pieces); }
      });
    });
    form.on("close", () => resolve(answer(fields, filename, data, names)));
    form.on("error", reject);
    req.pipe(form);
  });
}

// Its stream interface: fields as events, files as parts.
function multiparty(ctype, body) {
  return new Promise((resolve, reject) => {
    const form = new (need("multiparty").Form)({ maxFieldsSize: 1 << 24 }), fields = {}, names = [];
    let filename = null, data = null;
    form.on("field", (name, value) => { fields[name] = value; names.push(name); });
    form.on("part", (part) => {
      const pieces = [];
      names.push(part.name);
      part.on("error", reject);
      part.on("data", (piece) => pieces.push(piece));
      part.on("end", () => {
        if (part.name === "content") { filename = part.filename; data = Buffer.concat(pieces); }
      });
    });
    form.on("error", reject);
    form.on("close", () => resolve(answer(fields, filename, data, names)));
    form.parse(request(ctype, body));
  });
}

// Gives lists; files go into memory here.
let Formidable = null;
async function formidable(ctype, body) {
  const written = new Map(), flat = {};
  const fileWriteStreamHandler = (file) => {
    const pieces = [];
    written.set(file, pieces);
    return new Writable({ write(piece, _, done) { pieces.push(piece); done(); } });
  };
  const [fields, files] = await Formidable({ fileWriteStreamHandler }).parse(request(ctype, body));
  const file = files.content && files.content[0];
  for (const name of Object.keys(fields)) flat[name] = fields[name][0];
  return answer(flat, file ? file.originalFilename : null, file ? Buffer.concat(written.get(file)) : null,
    Object.keys(fields).concat(Object.keys(files)));
}

const read = { busboy, multiparty, formidable }[kind];
const manifest = JSON.parse(readFileSync(root + "/node_modules/" + kind + "/package.json"));
if (kind === "formidable") {
  Formidable = (await import(pathToFileURL(root + "/node_modules/formidable/src/index.js"))).default;
}
console.log(JSON.stringify({ reader: manifest.version + " of Node " + process.versions.node }));

// Some throw where nobody can catch it, or never come to an end.
let giveUp = (error) => { throw error; };
process.on("uncaughtException", (error) => giveUp(error));
process.on("unhandledRejection", (error) => giveUp(error));
function attempt(ctype, body) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), 30000);
    giveUp = (error) => { clearTimeout(timer); reject(error); };
    read(ctype, body).then((said) => { clearTimeout(timer); resolve(said); }, giveUp);
  });
}

let held = Buffer.alloc(0);
for await (const piece of process.stdin) {
  held = held.length ? Buffer.concat([held, piece]) : piece;
  while (held.length >= 12) {
    const type = held.readUInt32BE(4), end = 12 + type + held.readUInt32BE(8);
    if (held.length < end) break;
    let said;
    try {
      said = await attempt(held.toString("latin1", 12, 12 + type), held.subarray(12 + type, end));
    } catch (error) {
      said = { error: String(error) };
    }
    console.log(JSON.stringify(said));
    held = held.subarray(end);
  }
}
