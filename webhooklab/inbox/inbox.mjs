// The live inbox in the browser. The kernel pushes rows; everything else happens here, so that it
// works while a cell runs. What this page does not hold (large bodies, old rows) is asked for.
//
// All that came from the wire is text: it goes into the page as textContent and in no other way.
// One file, because a notebook loads it from a Blob URL, where imports cannot resolve. What is
// exported beside the default is what `node --test` looks at.

// ==============================================================================================
// Instants: what webhooklab/instants.py reads, in microseconds since the epoch
// ==============================================================================================

const LATEST_SECOND = 100_000_000_000;
const [EARLIEST_US, LATEST_US] = [-62_135_596_800_000_000, 253_402_300_799_999_999]; // years 1 to 9999
const ISO =
  /^(\d{4}-\d\d-\d\d|\d{8})(?:\D(\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?)?|\d{4}(?:\d\d(?:[.,]\d+)?)?) ?([Zz]|[+-]\d\d(?::\d\d(?::\d\d)?|\d\d(?:\d\d)?)?)?)?$/u;
// What Python's strip leaves of a text; what a space is: as for TOKEN, below.
const STRIPPED = /(?:[^\s\x1c-\x1f\x85]|\ufeff)(?:.*(?:[^\s\x1c-\x1f\x85]|\ufeff))?/s;

export function parseInstant(value) {
  const instant = readInstant(STRIPPED.exec(value)?.[0] ?? "");
  return instant !== null && instant >= EARLIEST_US && instant <= LATEST_US ? instant : null;
}

function readInstant(text) {
  if (/^-?(\d+\.?\d*|\.\d+)$/.test(text)) return unixInstant(text);
  const found = ISO.exec(text);
  if (!found) return null;
  const [year, month, day] = numbers(/(\d{4})-?(\d\d)-?(\d\d)/.exec(found[1]).slice(1));
  const [clock, fraction = ""] = (found[2] ?? "").split(/[.,]/);
  const [hour = 0, minute = 0, second = 0] = numbers(clock.match(/\d\d/g));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 0;
  const offset = offsetSeconds(found[3]);
  if (!real || hour > 23 || minute > 59 || second > 59 || offset === null) return null;
  const micros = Number(fraction.slice(0, 6).padEnd(6, "0"));
  return (date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset) * 1e6 + micros;
}

function numbers(texts) {
  return (texts ?? []).map(Number);
}

function unixInstant(text) {
  const number = Number(text);
  // Its size exactly: 99999999999999999, in microseconds, is one more as a number, in nanoseconds.
  const size = text.includes(".") ? Math.abs(number) : BigInt(text.replace("-", ""));
  for (const perSecond of [1, 1e3, 1e6, 1e9]) {
    if (size < LATEST_SECOND * perSecond) return Math.floor(number * (1e6 / perSecond));
  }
  return null;
}

function offsetSeconds(offset) {
  if (!offset || /z/i.test(offset)) return 0;
  const [hours, minutes = 0, seconds = 0] = numbers(offset.match(/\d\d/g));
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  return (offset[0] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

// ==============================================================================================
// The filter language of lab.find: what webhooklab/search.py says (tests/filter_cases.json)
// ==============================================================================================

const WORDS = [
  ...["method", "path", "query_string", "provider"],
  ...["event_type", "event_id", "entity_type", "entity_id"],
];
const ALIASES = {
  type: "event_type",
  id: "event_id",
  query: "query_string",
  content: "content_type",
  reason: "verified_reason",
  header: "headers_json",
};
const EXACT = new Set([
  ...["seq", "source", "method", "provider", "event_id", "entity_type", "entity_id"],
  ...["entity", "version", "verified", "remote", "status", "event_type"],
]);
const CONTAINS = new Set([
  ...["path", "query_string", "content_type", "verified_reason", "headers_json", "body"],
]);
const TIMES = new Set(["after", "before"]);
const TEXT_CUT = 2; // marks of a row, as in rows.py
const QUERY_MASKED = 1;
const SENDER_LEFT = 4;
// Python's \S: it also counts U+001C to U+001F and U+0085 as space, and U+FEFF as none.
const TOKEN = /(-?)(?:([a-z_]+):)?("(?:\\.|[^"\\])*"?|(?:[^\s\x1c-\x1f\x85]|\ufeff)+)/gs;

const MAX_CHARACTERS = 10_000; // as MAX_FILTER_CHARACTERS and MAX_FILTER_TERMS in defaults.py
const MAX_TERMS = 100;
const SHORTEST_UNIX_TIME = 9;

/** A filter's conditions: [{field, value, negated}]; `field` null is a word or a phrase. */
export function parseFilter(text) {
  // What is stored has "?" for lone surrogates, which are no text: so has the filter.
  const readable = text.replace(/[\ud800-\udfff]/gu, "?");
  return [...readable.matchAll(TOKEN)].map(([whole, minus, field, value]) => {
    const name = Object.hasOwn(ALIASES, field ?? "") ? ALIASES[field] : (field ?? null);
    const known = name === null || EXACT.has(name) || CONTAINS.has(name) || TIMES.has(name);
    const written = known ? value : whole.slice(minus.length);
    return { field: known ? name : null, value: unquote(written), negated: minus === "-" };
  });
}

function unquote(value) {
  if (!value.startsWith('"')) return value;
  const closed = value.length > 1 && value.endsWith('"');
  return value.slice(1, closed ? -1 : undefined).replace(/\\(.)/g, "$1");
}

/** A filter as {error, test}: `test(row, detail)` is true, false, or null: the kernel has to say. */
export function compileFilter(text) {
  const terms = parseFilter(text);
  const error = errorIn(text, terms);
  if (error) return { error, empty: false, test: () => false };
  const tests = terms.map((term) => negatable(conditionOf(term), term.negated));
  return { error, empty: terms.length === 0, test: (row, detail) => all(tests, row, detail) };
}

function errorIn(text, terms) {
  if ([...text].length > MAX_CHARACTERS) {
    return `The filter is longer than ${MAX_CHARACTERS.toLocaleString("en")} characters.`;
  }
  if (terms.length > MAX_TERMS) return `The filter has more than ${MAX_TERMS} conditions.`;
  const wrong = terms.find((term) => TIMES.has(term.field) && timeOf(term.value) === null);
  if (!wrong) return null;
  return `${wrong.field}:${wrong.value} is not a time: write ${wrong.field}:2026-03-01T12:30 (UTC).`;
}

/** A bound. A short number is rather a year, or a date without its dashes, than a time in 1970. */
function timeOf(value) {
  const isShortNumber = /^\d+$/.test(value) && value.length < SHORTEST_UNIX_TIME;
  return isShortNumber ? null : parseInstant(value);
}

function negatable(test, negated) {
  if (!negated) return test;
  return (row, detail) => {
    const verdict = test(row, detail);
    return verdict === null ? null : !verdict;
  };
}

function all(tests, row, detail) {
  let verdict = true;
  for (const test of tests) {
    const one = test(row, detail);
    if (one === false) return false;
    if (one === null) verdict = null;
  }
  return verdict;
}

function any(tests, row, detail) {
  let verdict = false;
  for (const test of tests) {
    const one = test(row, detail);
    if (one === true) return true;
    if (one === null) verdict = null;
  }
  return verdict;
}

function conditionOf({ field, value }) {
  if (field === null) {
    const tests = [...WORDS, "body"].map((name) => containing(name, value));
    return (row, detail) => any(tests, row, detail);
  }
  if (TIMES.has(field)) return received(field, parseInstant(value));
  if (CONTAINS.has(field)) return containing(field, value);
  if (field === "entity") {
    const either = [whole("entity_id", value), whole("entity_type", value)];
    return (row) => any(either, row);
  }
  return whole(field, value);
}

function received(side, instant) {
  return (row) => (side === "after" ? row.received_at >= instant : row.received_at < instant);
}

function containing(name, value) {
  const needle = asciiLower(value);
  if (name === "body") return inBody(new TextEncoder().encode(needle));
  if (name === "headers_json") return inHeaders(asciiLower(jsonEscaped(value)));
  return (row) => {
    const text = row[name];
    if (text === null || text === undefined) return false;
    const found = asciiLower(text).includes(needle);
    const changed = name === "query_string" && row.marks & QUERY_MASKED;
    if (changed || row.marks & TEXT_CUT) return found && !needle.includes("*") ? true : null;
    return found;
  };
}

/** As Python's json.dumps writes a text, without its quotes. */
function jsonEscaped(text) {
  const code = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^ -~]/g, code);
}

function inBody(needle) {
  return (row, detail) => {
    if (row.body_bytes === 0) return false;
    return detail ? bytesInclude(detail.body, needle) : null;
  };
}

function inHeaders(needle) {
  return (row, detail) => {
    if (!detail) return null;
    const found = asciiLower(detail.headers).includes(needle);
    return detail.masked && (!found || needle.includes("*")) ? null : found;
  };
}

function whole(name, value) {
  const parts = asciiLower(value)
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const tail = name === "event_type" ? "(?:\\.[^]*)?" : "";
  const pattern = new RegExp(`^${parts.join("[^]*")}${tail}$`);
  return (row) => {
    if (row[name] === null || row[name] === undefined) return false;
    if (row.marks & TEXT_CUT && typeof row[name] === "string") return null;
    return pattern.test(asciiLower(String(row[name])));
  };
}

function asciiLower(text) {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : text;
}

/** Whether bytes hold a needle that is in lower case already; A to Z count as a to z. */
function bytesInclude(bytes, needle) {
  if (needle.length === 0) return true;
  const [first] = needle;
  const upper = first > 96 && first < 123 ? first - 32 : first;
  const last = bytes.length - needle.length;
  for (let at = nextOf(bytes, first, upper, 0); at <= last; at = nextOf(bytes, first, upper, at + 1)) {
    let length = 1;
    while (length < needle.length && lowerByte(bytes[at + length]) === needle[length]) length++;
    if (length === needle.length) return true;
  }
  return false;
}

function lowerByte(byte) {
  return byte > 64 && byte < 91 ? byte + 32 : byte;
}

/** Where one of two bytes is next; beyond the end where neither is. */
function nextOf(bytes, one, other, from) {
  let at = from;
  while (at < bytes.length && bytes[at] !== one && bytes[at] !== other) at++;
  return at;
}

// ==============================================================================================
// Bodies: what webhooklab/bodies.py reads, for the eye
// ==============================================================================================

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function textOf(bytes) {
  return utf8.decode(bytes);
}

function mediaType(contentType) {
  return (contentType ?? "").split(";")[0].trim().toLowerCase();
}

const PARAMETER = /;\s*([^=;\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;

/** A header's parameter, such as the charset of a Content-Type; null where it has none. */
function parameterOf(header, wanted) {
  for (const [, name, quoted, plain] of (header ?? "").matchAll(PARAMETER)) {
    if (name.toLowerCase() === wanted) return quoted?.replace(/\\(.)/g, "$1") ?? plain;
  }
  return null;
}

export function kindOf(contentType, body) {
  const media = mediaType(contentType);
  if (media.endsWith("json")) return "json";
  if (media === "application/x-www-form-urlencoded") return "form";
  if (media === "multipart/form-data") return "multipart";
  const first = body.subarray(0, 1_024).find((byte) => byte !== 32 && (byte < 9 || byte > 13));
  return first === 0x7b || first === 0x5b ? "json" : "other";
}

function encodingOf(body, contentType) {
  const named = parameterOf(contentType, "charset");
  if (named && !/^utf-?8$/i.test(named)) return named;
  if ((body[0] === 0xfe && body[1] === 0xff) || (body[0] === 0 && body[1])) return "utf-16be";
  if ((body[0] === 0xff && body[1] === 0xfe) || (body[0] && body[1] === 0)) return "utf-16le";
  return "utf-8";
}

/** A body as text, by its charset; null when it is none (so it is shown as hex). */
export function bodyText(body, contentType) {
  try {
    const text = new TextDecoder(encodingOf(body, contentType), { fatal: true }).decode(body);
    return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** Sixteen bytes a line: where, in hex, and as ASCII. */
export function hexDump(bytes, limit = bytes.length) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, limit); at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0"));
    const left = hex.slice(0, 8).join(" ").padEnd(23);
    const right = hex.slice(8).join(" ").padEnd(23);
    const ascii = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${left}  ${right}  ${ascii}`);
  }
  return lines.join("\n");
}

const MAX_JSON_DEPTH = 1_000;

/**
 * JSON (RFC 8259) as a tree that shows what was sent: keys in order, numbers digit for digit.
 * Objects are {kind, entries: [[key, node]]}, arrays {kind, entries: [[index, node]]}, all else
 * {kind, text} with text for the eye. Throws a SyntaxError for what is not JSON, a RangeError for
 * more than `most` values.
 */
export function parseJson(text, most = Infinity) {
  return new JsonReader(text, most).read();
}

class JsonReader {
  constructor(text, most) {
    this.text = text;
    this.at = 0;
    this.left = most;
  }

  fail(what) {
    throw new SyntaxError(`${what} at character ${this.at + 1}`);
  }

  read() {
    const tree = this.value(0);
    this.space();
    return this.at === this.text.length ? tree : this.fail("More than one value");
  }

  value(depth) {
    if (depth > MAX_JSON_DEPTH) this.fail("Nested too deep to be shown");
    if (this.left-- <= 0) throw new RangeError("Too many values");
    this.space();
    const start = this.text[this.at];
    if (start === "{") return { kind: "object", entries: this.entries("}", () => this.member(depth + 1)) };
    if (start === "[")
      return { kind: "array", entries: this.entries("]", (n) => [n, this.value(depth + 1)]) };
    if (start === '"') return { kind: "string", text: this.string() };
    return this.literal();
  }

  entries(close, entry) {
    const entries = [];
    this.at++;
    for (this.space(); this.text[this.at] !== close; this.space()) {
      if (entries.length && this.text[this.at++] !== ",") this.fail("Neither a comma nor an end");
      this.space();
      entries.push(entry(entries.length));
    }
    this.at++;
    return entries;
  }

  member(depth) {
    if (this.text[this.at] !== '"') this.fail("No key");
    const key = this.string();
    this.space();
    if (this.text[this.at++] !== ":") this.fail("A key without a value");
    return [key, this.value(depth)];
  }

  string() {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) this.fail("A text without its end");
    } while (isEscaped(this.text, end));
    const inside = this.text.slice(this.at + 1, end);
    const value = /[\\\0-\x1f]/.test(inside) ? JSON.parse(`"${inside}"`) : inside;
    this.at = end + 1;
    return value;
  }

  literal() {
    LITERAL.lastIndex = this.at;
    const [text, number] = LITERAL.exec(this.text) ?? this.fail("No value");
    this.at = LITERAL.lastIndex;
    if (number !== undefined) return { kind: "number", text };
    return { kind: text === "null" ? "null" : "boolean", text };
  }

  space() {
    while (SPACES.has(this.text.charCodeAt(this.at))) this.at++;
  }
}

const LITERAL = /(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|true|false|null/y;
const SPACES = new Set([9, 10, 13, 32]);

function isEscaped(text, at) {
  let start = at;
  while (text[start - 1] === "\\") start--;
  return (at - start) % 2 === 1;
}

/** The column of `lab.payloads` in which the value at a path of keys and indexes is. */
export function columnName(path) {
  const array = path.findIndex((key) => typeof key === "number");
  const keys = (array < 0 ? path : path.slice(0, array)).slice(0, 51);
  return keys.length ? keys.map(escapeKey).join(".") : "$";
}

function escapeKey(key) {
  if (key === "$") return "\\$";
  const escaped = key.replace(/\\/g, "\\\\").replace(/\./g, "\\.");
  return escaped.replace(/[\ud800-\udfff]/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

/** A urlencoded text as [[name, value]]: the first `most` of them. */
export function parseUrlencoded(text, most = Infinity) {
  return fieldsOf(text)
    .slice(0, most)
    .map((part) => {
      const [name, ...value] = part.split("=");
      return [percentDecoded(name), percentDecoded(value.join("="))];
    });
}

function fieldsOf(text) {
  return text.split("&").filter(Boolean);
}

function percentDecoded(text) {
  const encoded = new TextEncoder().encode(text.replaceAll("+", " "));
  const decoded = [];
  for (let at = 0; at < encoded.length; at++) {
    const digits = encoded[at] === 37 ? String.fromCharCode(...encoded.subarray(at + 1, at + 3)) : "";
    const escaped = /^[0-9a-f]{2}$/i.test(digits);
    decoded.push(escaped ? parseInt(digits, 16) : encoded[at]);
    if (escaped) at += 2;
  }
  return textOf(new Uint8Array(decoded));
}

const MAX_PARTS = 1_000;
const aCharacterAByte = new TextDecoder("latin1");

/** The parts of a multipart body: [{name, filename, type, bytes}]; throws an Error when broken. */
export function parseMultipart(body, contentType) {
  const boundary = parameterOf(contentType, "boundary");
  if (!boundary) throw new Error("its Content-Type names no boundary");
  const text = aCharacterAByte.decode(body);
  const mark = `--${boundary}`;
  const parts = [];
  let start = text.indexOf(mark);
  if (start < 0) throw new Error("its boundary is not in it");
  while (!text.startsWith("--", start + mark.length) && parts.length < MAX_PARTS) {
    const next = text.indexOf(mark, start + mark.length);
    if (next < 0) throw new Error("its last part has no end");
    parts.push(parsePart(text, body, start + mark.length, next));
    start = next;
  }
  return parts;
}

function parsePart(text, body, start, end) {
  const blank = text.indexOf("\r\n\r\n", start);
  if (blank < 0 || blank >= end) throw new Error("a part has no headers");
  const lines = textOf(body.subarray(start, blank)).split("\r\n");
  const header = (name) =>
    lines.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
  const disposition = header("content-disposition");
  return {
    name: parameterOf(disposition, "name") ?? "",
    filename: parameterOf(disposition, "filename"),
    type: header("content-type")?.trim() ?? null,
    bytes: body.subarray(blank + 4, end - 2),
  };
}

// ---- Packed bodies (RFC 9110, section 8.4). A bomb costs no more than the limit: it is unpacked in
// small pieces, and what is beyond the limit is never made.

const FORMATS = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate", br: "brotli", zstd: "zstd" };
const PIECE_BYTES = 4_096; // unpacked, at most a thousand times as many
const MAX_CODINGS = 3;

/** What a body was packed with, in the order of packing; header pairs as they came. */
export function codingsOf(headers) {
  const named = headers.filter(([name]) => name.toLowerCase() === "content-encoding");
  const codings = named.flatMap(([, value]) => value.split(","));
  return codings.map((coding) => coding.trim().toLowerCase()).filter((each) => each && each !== "identity");
}

/** A body unpacked to at most `limit` bytes: {bytes, cut, error}; `error` says what hinders. */
export async function unpack(body, codings, limit) {
  if (codings.length > MAX_CODINGS) return { bytes: body, cut: false, error: "packed too many times" };
  let unpacked = { bytes: body, cut: false, error: null };
  for (const coding of [...codings].reverse()) {
    unpacked = await unpackOnce(unpacked.bytes, coding, limit);
    if (unpacked.cut || unpacked.error) break;
  }
  return unpacked;
}

async function unpackOnce(bytes, coding, limit) {
  const unpacked = await inflate(bytes, FORMATS[coding] ?? coding, limit);
  const isRaw = coding === "deflate" && unpacked.error && unpacked.bytes.length === 0;
  return isRaw ? inflate(bytes, "deflate-raw", limit) : unpacked; // some senders leave zlib's frame out
}

async function inflate(bytes, format, limit) {
  const stream = decompressor(format);
  if (!stream) return { bytes: new Uint8Array(), cut: false, error: "this browser cannot unpack it" };
  const parts = [];
  let [size, error] = [0, null];
  try {
    const reader = inPieces(bytes).pipeThrough(stream).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value);
      size += next.value.length;
      if (size <= limit) continue;
      await reader.cancel();
      break;
    }
  } catch (failure) {
    error = failure.message;
  }
  return { bytes: joinBytes(parts, Math.min(size, limit)), cut: size > limit, error };
}

function decompressor(format) {
  try {
    return new DecompressionStream(format);
  } catch {
    return null;
  }
}

function inPieces(bytes) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += PIECE_BYTES)));
    },
  });
}

function joinBytes(parts, length) {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part.subarray(0, length - at), at);
    at += Math.min(part.length, length - at);
  }
  return joined;
}

// ==============================================================================================
// A request as curl and Python: what webhooklab/code.py writes (tests/code_cases.json)
// ==============================================================================================

const SET_BY_CLIENT = new Set([
  ...["host", "content-length", "transfer-encoding", "connection", "expect", "keep-alive"],
]);

const LONGEST_ARGUMENT_BYTES = 100_000;

/** What is needed to send a row again. */
export function sendable(row, detail, baseUrl) {
  const query = row.query_string ? `?${row.query_string}` : "";
  const url = `${baseUrl.replace(/\/+$/, "")}/${row.path.replace(/^\//, "")}${query}`;
  return { method: row.method, url, headers: JSON.parse(detail.headers), body: detail.body };
}

function ownHeaders(request) {
  return request.headers.filter(([name]) => !SET_BY_CLIENT.has(name.toLowerCase()));
}

export function curlCode(request) {
  const method = request.method === "HEAD" ? "--head" : `--request ${shellQuoted(request.method)}`;
  const lines = [`curl --globoff --path-as-is ${method}`];
  for (const [name, value] of ownHeaders(request)) {
    lines.push(`--header ${bytesQuoted(value ? `${name}: ${value}` : `${name};`)}`);
  }
  const sent = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const silenced = ["User-Agent", "Accept", ...(request.body.length ? ["Content-Type", "Expect"] : [])];
  for (const name of silenced) if (!sent.has(name.toLowerCase())) lines.push(`--header '${name}:'`);
  const url = bytesQuoted(request.url.replaceAll("#", "%23"));
  return request.body.length ? withBody(lines, request.body, url) : joined([...lines, url]);
}

function withBody(lines, body, url) {
  const text = plainText(body);
  if (text !== null && body.length <= LONGEST_ARGUMENT_BYTES) {
    return joined([...lines, `--data-raw ${shellQuoted(text)}`, url]);
  }
  const command = joined([...lines, "--data-binary @-", url]);
  if (text !== null) return `printf %s ${shellQuoted(text)} | ${command}`;
  const octal = Array.from(body, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return `printf '${octal}' | ${command}`;
}

function joined(lines) {
  return lines.join(" \\\n  ");
}

function shellQuoted(text) {
  if (text && !/[^\w@%+=:,./-]/.test(text)) return text;
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Text from the wire stands for bytes: beyond ASCII they are written as such, for any shell. */
function bytesQuoted(line) {
  if (/^[ -~]*$/.test(line)) return shellQuoted(line);
  const escaped = Array.from(line, (char) =>
    /[ -$&(-[\]-~]/.test(char)
      ? char
      : `\\${Math.min(char.codePointAt(0), 255).toString(8).padStart(3, "0")}`,
  );
  return `"$(printf -- '${escaped.join("")}')"`;
}

const UNPRINTABLE = /[\p{C}\p{Z}]/u;

function isPrintable(char) {
  return char === " " || !UNPRINTABLE.test(char);
}

/** Bytes as text that may stand in a terminal; null when they may not. */
function plainText(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return Array.from(text).every((char) => char === "\n" || char === "\t" || isPrintable(char))
      ? text
      : null;
  } catch {
    return null;
  }
}

export function pythonCode(request) {
  const headers = ownHeaders(request)
    .map(([name, value]) => `    (${bytesRepr(latin1(name))}, ${bytesRepr(latin1(value))}),\n`)
    .join("");
  const [origin] = /^\w+:\/\/[^/?#]*/.exec(request.url);
  return (
    "import httpx\n\n" +
    `headers = [\n${headers}]\n` +
    `body = ${bytesRepr(request.body)}\n` +
    `target = ${bytesRepr(latin1(visible(request.url.slice(origin.length))))}\n` +
    "request = httpx.Request(\n" +
    `    ${textRepr(request.method)}, ${textRepr(`${origin}/`)}, headers=headers, content=body,\n` +
    '    extensions={"target": target},\n' +
    ")\n" +
    "with httpx.Client() as client:\n" +
    "    response = client.send(request)\n" +
    "print(response.status_code, response.text)\n"
  );
}

/** A target with the bytes %-encoded that httpx does not send: all but visible ASCII. */
function visible(target) {
  const code = (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return Array.from(latin1(target), (byte) =>
    byte > 32 && byte < 127 ? String.fromCharCode(byte) : code(byte),
  ).join("");
}

function latin1(text) {
  return Uint8Array.from(text, (char) => (char.codePointAt(0) < 256 ? char.codePointAt(0) : 63));
}

const SHORT_ESCAPES = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** What Python's repr shows of bytes. */
function bytesRepr(bytes) {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'";
  const shown = Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    if (char === quote) return `\\${char}`;
    if (char in SHORT_ESCAPES) return SHORT_ESCAPES[char];
    return byte > 31 && byte < 127 ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `b${quote}${shown.join("")}${quote}`;
}

/** What Python's repr shows of a text. */
export function textRepr(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const shown = Array.from(text, (char) => {
    if (char === quote) return `\\${char}`;
    if (char in SHORT_ESCAPES) return SHORT_ESCAPES[char];
    if (isPrintable(char)) return char;
    const code = char.codePointAt(0).toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
  return `${quote}${shown.join("")}${quote}`;
}

/** Where the page's Jupyter server is, as this browser sees it; null where a page does not say. */
function serverAddress(page, href) {
  try {
    const config = JSON.parse(page.getElementById("jupyter-config-data").textContent);
    return new URL(config.baseUrl, href).href;
  } catch {
    return null;
  }
}

/** The URL to give away: the public one where there is one. */
function shownUrl(state) {
  return state?.public || state?.url || "";
}

/** The Python that gives the rows of a view. */
export function viewCode(filter) {
  return filter.trim() ? `lab.find(${textRepr(filter.trim())})` : "lab.find()";
}

// ==============================================================================================
// The rows that this page holds
// ==============================================================================================

/** Ranges of seqs that were received, [[after, through], ...], sorted and apart, and one more. */
export function addRange(ranges, after, through) {
  const kept = [];
  for (const [low, high] of ranges) {
    if (high < after || low > through) kept.push([low, high]);
    else [after, through] = [Math.min(low, after), Math.max(high, through)];
  }
  return [...kept, [after, through]].sort((one, other) => one[0] - other[0]);
}

/** What is missing of (floor, head]. */
export function gapsIn(ranges, floor, head) {
  const gaps = [];
  let known = floor;
  for (const [after, through] of ranges) {
    if (after > known) gaps.push([known, Math.min(after, head)]);
    known = Math.max(known, through);
  }
  if (head > known) gaps.push([known, head]);
  return gaps.filter(([after, through]) => through > after);
}

const BEFORE_STATE = {
  heldRows: 20_000,
  heldBytes: 64 * 2 ** 20,
  heartbeatSeconds: 2,
  unpackedBytes: 8 * 2 ** 20,
  sidesBytes: 32 * 2 ** 20,
  keptAnswerBytes: 64 * 2 ** 10,
};

/** Columns to rows: an object each, all of one shape. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  return columns.seq.map((_, at) => {
    const row = { changes: 0 };
    for (const name of names) row[name] = columns[name][at];
    return row;
  });
}

/** Make a row what a fresher one says; false where it is that already. `changes` counts. */
function changeRow(row, fresh) {
  if (Object.keys(fresh).every((name) => name === "changes" || row[name] === fresh[name])) return false;
  Object.assign(row, fresh, { changes: row.changes + 1 });
  return true;
}

/** Where in rows, sorted by seq, the first is that is above `seq`. */
export function upperBound(rows, seq) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].seq > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Two sorted lists of rows as one; of equal seqs the one from `fresh`. */
export function mergeRows(rows, fresh) {
  const merged = [];
  let at = 0;
  for (const row of fresh) {
    while (at < rows.length && rows[at].seq < row.seq) merged.push(rows[at++]);
    if (at < rows.length && rows[at].seq === row.seq) at++;
    merged.push(row);
  }
  while (at < rows.length) merged.push(rows[at++]);
  return merged;
}

/** What this page holds of one inbox: rows by seq, and bodies and headers within a limit. */
export class Held {
  constructor() {
    this.limits = BEFORE_STATE;
    this.state = null;
    this.revision = -1;
    this.clear();
  }

  clear() {
    this.rows = [];
    this.ranges = [];
    this.details = new Map();
    this.detailBytes = 0;
    this.absent = new Map(); // seq to why its body is not to be had
    // What was fetched for deliveries, and what was tried to send them on.
    this.lookups = { truth: new Lookups("truth"), tries: new Lookups("tries") };
    this.tells = new Set(); // columns in which there is more than the usual
    this.epoch = (this.epoch ?? 0) + 1; // rows other than at the end have changed
  }

  /** Take a message's rows; returns those that were held already, and are not as they were. */
  take(message, buffer) {
    if (!this.isCurrent(message.revision)) return [];
    const fresh = rowsOf(JSON.parse(textOf(buffer.subarray(0, message.columns))));
    this.ranges = addRange(this.ranges, message.after, message.through);
    this.takeDetails(message, buffer);
    if (fresh.some(({ source }) => source !== "local")) this.tells.add("source");
    if (fresh.some(({ verified }) => verified !== "unchecked")) this.tells.add("verified");
    if (fresh.some(({ status }) => status === null)) this.tells.add("status");
    if (fresh.some((row) => typeText(row))) this.tells.add("type");
    if (fresh.some((row) => entityText(row))) this.tells.add("entity");
    const known = upperBound(fresh, this.rows.at(-1)?.seq ?? 0);
    const changed = this.amend(fresh.slice(0, known));
    for (let at = known; at < fresh.length; at++) this.rows.push(fresh[at]);
    this.evictRows();
    return changed;
  }

  /** Rows that are not above the newest: those held change in place, the others fill a gap. */
  amend(fresh) {
    const [changed, lacking] = [[], []];
    for (const row of fresh) {
      const held = this.find(row.seq);
      if (!held) lacking.push(row);
      else if (changeRow(held, row)) changed.push(held);
    }
    if (lacking.length) {
      this.rows = mergeRows(this.rows, lacking);
      this.epoch++;
    }
    return changed;
  }

  isCurrent(revision) {
    if (revision > this.revision) {
      this.revision = revision;
      this.clear();
    }
    return revision === this.revision;
  }

  takeDetails(message, buffer) {
    let at = message.columns;
    for (const [seq, masked, headerBytes, bodyBytes] of message.details) {
      const headers = textOf(buffer.subarray(at, at + headerBytes));
      // A copy: a part would keep the whole message in memory.
      const body = buffer.slice(at + headerBytes, at + headerBytes + bodyBytes);
      at += headerBytes + bodyBytes;
      this.keepDetail(seq, { headers, masked: masked === 1, body });
    }
  }

  keepDetail(seq, detail) {
    this.dropDetail(seq);
    this.details.set(seq, detail);
    this.detailBytes += detail.headers.length + detail.body.length;
    for (const [oldest] of this.details) {
      if (this.detailBytes <= this.limits.heldBytes || oldest === seq) break;
      this.dropDetail(oldest);
    }
  }

  dropDetail(seq) {
    const detail = this.details.get(seq);
    if (!detail) return;
    this.detailBytes -= detail.headers.length + detail.body.length;
    this.details.delete(seq);
  }

  evictRows() {
    const surplus = this.rows.length - this.limits.heldRows;
    const gone = upperBound(this.rows, this.gone);
    if (surplus <= 0 && !gone) return;
    for (const row of this.rows.splice(0, Math.max(surplus, gone))) this.dropDetail(row.seq);
  }

  /** The seq up to which the capture file has dropped all rows. */
  get gone() {
    return this.state?.gone ?? 0;
  }

  /** The seq up to which rows are not expected here: they are gone, or there is no room for them. */
  get floor() {
    const full = this.rows.length >= this.limits.heldRows;
    return Math.max(this.gone, full ? this.rows[0].seq - 1 : 0);
  }

  gaps() {
    return this.state ? gapsIn(this.ranges, this.floor, this.state.head) : [];
  }

  find(seq) {
    const row = this.rows[upperBound(this.rows, seq) - 1];
    return row?.seq === seq ? row : undefined;
  }
}

const HELD_LOOKUPS = 64;
const ASK_AGAIN_MS = 10_000;

/**
 * What has come of deliveries since, of one kind, as far as it was looked at or has just come: by
 * seq {answer, error, whole, version}, where `version` is another one when it has changed. A message
 * that was lost makes all of it stale: it is asked for again when it is looked at.
 */
export class Lookups {
  constructor(kind) {
    this.kind = kind;
    this.held = new Map();
    this.through = null; // the newest one that was heard of
    this.versions = 0;
  }

  get(seq) {
    return this.held.get(seq) ?? { answer: null, error: null, version: 0 };
  }

  /** Deliveries that have something new. */
  hear({ after, through, seqs }) {
    const all = this.through !== null && after !== this.through;
    const named = new Set(seqs);
    for (const [seq, entry] of this.held) if (all || named.has(seq)) this.outdate(entry, through);
    this.through = through;
  }

  /** The newest one there is. */
  expect(through) {
    if (through === undefined || through === this.through) return;
    if (this.through !== null) for (const entry of this.held.values()) this.outdate(entry, through);
    this.through = through;
  }

  /** An answer that is older than what was `told` may lack it. */
  outdate(entry, told) {
    Object.assign(entry, { stale: true, told });
  }

  /** What to ask the kernel for now; null: nothing. `makers` is who may add to it, `now` in ms. */
  question(seq, whole, makers, now) {
    const entry = this.held.get(seq) ?? { stale: true, whole: false };
    const due = entry.stale || (whole && !entry.whole) || this.mayDiffer(entry, makers);
    if (!due || now - (entry.asked ?? -Infinity) < ASK_AGAIN_MS) return null;
    this.held.set(seq, { answer: null, error: null, version: 0, ...entry, asked: now, makers });
    return { kind: this.kind, seq, whole: whole || entry.whole };
  }

  mayDiffer({ answer, makers }, present) {
    return answer?.count === 0 && makers !== present;
  }

  take({ seq, whole }, buffer) {
    const before = this.held.get(seq);
    const answer = JSON.parse(textOf(buffer));
    const { told = 0, makers } = before ?? {};
    if (before?.whole && !whole) this.outdate(before, answer.at); // it has come by itself, not all of it
    else if (before?.answer?.at > answer.at) before.asked = null; // overtaken by what came by itself
    else this.keep(seq, { answer, error: null, whole, stale: told > answer.at, told, asked: null, makers });
  }

  fail(seq, error) {
    this.keep(seq, { ...this.held.get(seq), answer: null, error, stale: false, asked: null });
  }

  keep(seq, entry) {
    this.held.delete(seq);
    this.held.set(seq, { ...entry, version: ++this.versions });
    const [oldest] = this.held.keys();
    if (this.held.size > HELD_LOOKUPS) this.held.delete(oldest);
  }
}

// ==============================================================================================
// Words and numbers for the eye
// ==============================================================================================

const pad = (number, length = 2) => String(number).padStart(length, "0");

/** Microseconds since the epoch as UTC; the date only where it is not `today` (also in us). */
export function timeText(micros, today = micros) {
  const text = new Date(Math.floor(micros / 1000)).toISOString();
  const sameDay = text.slice(0, 10) === new Date(Math.floor(today / 1000)).toISOString().slice(0, 10);
  return sameDay ? text.slice(11, 23) : `${text.slice(5, 10)} ${text.slice(11, 19)}`;
}

function fullTime(micros) {
  const text = new Date(Math.floor(micros / 1000)).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${pad(Math.floor(micros % 1e6), 6)} UTC`;
}

export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const unit = bytes < 1e6 ? ["kB", 1e3] : ["MB", 1e6];
  const number = bytes / unit[1];
  return `${number.toFixed(number < 10 ? 1 : 0)} ${unit[0]}`;
}

const numberText = (number) => number.toLocaleString("en");

const countText = (count, one = "delivery", many = "deliveries") =>
  `${numberText(count)} ${count === 1 ? one : many}`;

const rateText = (rate) => `${rate < 10 ? rate.toFixed(1) : numberText(Math.round(rate))}/s`;

/** How a signature was found, and what that means where no reason is given. */
const VERDICTS = {
  valid: ["✓ valid", "The signature is right."],
  invalid: ["✗ invalid", "The signature is wrong."],
  unverifiable: ["? unverifiable", "Whether the signature is right cannot be told."],
  unsigned: ["○ unsigned", "It came without a signature."],
  unchecked: ["", "Its signature was not checked: lab.verify_with does that."],
};

const verdictText = (row) => VERDICTS[row.verified]?.[0] ?? row.verified;
const verdictReason = (row) => row.verified_reason || (VERDICTS[row.verified]?.[1] ?? null);

// Nobody waits for an answer to what came in another way.
const ANSWERED_SOURCES = new Set(["local", "jupyter", "relay", "smee", "webhookrelay"]);
const ANSWERING = "answering…";
const LEFT = "sender left";
const UNANSWERED = {
  [ANSWERING]: "Its sender waits: the answer is being made, or held back",
  [LEFT]: "Its sender had left before there was an answer",
  none: "Whether its sender had an answer is not known",
};

/** What a row's sender got; `since`: when what listens began to, in us, null where nothing does. */
export function answerText(row, since) {
  if (row.status !== null) return String(row.status);
  if (row.marks & SENDER_LEFT) return LEFT;
  const waits = ANSWERED_SOURCES.has(row.source) && since !== null && row.stored_at >= since;
  return waits ? ANSWERING : "none";
}

const STATUSES = {
  waiting: "Waiting for the kernel",
  closed: "Closed",
  paused: "Paused",
  listening: "Listening",
  attached: "Attached",
};

function targetText(row) {
  return row.query_string ? `${row.path}?${row.query_string}` : row.path;
}

function entityText(row) {
  return [row.entity_type, row.entity_id].filter((part) => part !== null).join(" ");
}

/** A delivery's type; of a batch how many events it has, and that a handshake or a test has none. */
export function typeText({ event_count, event_type }) {
  if (event_count === 1) return event_type ?? "";
  const count = event_count ? countText(event_count, "event", "events") : "no event";
  return event_type === null ? count : `${count}: ${event_type}`;
}

// ==============================================================================================
// Elements of the page: made, changed, copied from, downloaded
// ==============================================================================================

/** An element with properties, attributes, listeners (`onclick`: a function) and children. */
function h(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function button(text, title, onclick, more = {}) {
  return h("button", { class: "whl-button", type: "button", text, title, onclick, ...more });
}

function toggle(text, title, onclick) {
  return button(text, title, onclick, { "aria-pressed": "false" });
}

/** Buttons of which one is pressed, the first at the beginning. */
function choice(label, options, pick) {
  const group = h("span", { role: "group", "aria-label": label, class: "whl-choice" });
  const press = (picked) => {
    for (const each of group.children) setAttribute(each, "aria-pressed", each.textContent === picked);
    pick(picked);
  };
  group.append(...options.map((text) => toggle(text, null, () => press(text))));
  setAttribute(group.firstChild, "aria-pressed", true);
  return group;
}

function note(text) {
  return h("p", { class: "whl-note", text });
}

const SHOWN_PAIRS = 1_000;

/** A table; `count` is how many rows there would be, where they are more than are shown. */
function pairsTable(label, heads, pairs, count = pairs.length) {
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col", text })));
  const shown = pairs.slice(0, SHOWN_PAIRS);
  const rows = shown.map((cells) => h("tr", {}, ...cells.map((text) => h("td", { text }))));
  const parts = [h("thead", {}, head), h("tbody", {}, ...rows)];
  const table = h("table", { class: "whl-pairs", "aria-label": label }, ...parts);
  if (shown.length === count) return table;
  return h("div", {}, table, note(`The first ${numberText(shown.length)} of ${numberText(count)}.`));
}

/** Change text or an attribute only where it differs: what does not change costs no layout. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** A key that was used here is not the notebook's. */
function consume(event) {
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Keys pressed in here are not the notebook's: there an arrow goes to another cell, and x cuts one.
 * JupyterLab asks the focused element itself, before those around it. Where one writes it knows.
 */
function keepKeys({ target }) {
  if (!target.matches(":read-write")) setAttribute(target, "data-lm-suppress-shortcuts", "");
}

/** But saving is, wherever one is: JupyterLab does not hear it, and the browser saves its page. */
function passOnSaving(event) {
  const unheard = event.target.closest("[data-lm-suppress-shortcuts]");
  if (!unheard || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
  const again = new KeyboardEvent("keydown", event);
  if (!event.currentTarget.parentElement.dispatchEvent(again)) consume(event);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // a page without TLS has no clipboard
  }
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const area = h("textarea", { class: "whl-hidden" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  focused?.focus();
}

function download(name, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "text/csv;charset=utf-8" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// ==============================================================================================
// A JSON body as a tree
// ==============================================================================================

const TREE_NODES = 200_000; // of more than these there is no tree
const SHOWN_NODES = 500; // lines drawn at first
const SMALL_TREE = 40; // a tree of no more lines is shown open
const [SMALL_DEPTH, LARGE_DEPTH] = [6, 2];
const SHOWN_VALUE_CHARS = 2_000;

/**
 * The lines of a tree that show: those below open nodes, or those that lead to a search's finds.
 * Each is {node, key, parent: the line above it, depth, open, found}; not many more than `most`.
 */
export function treeLines(tree, isOpen, search = "", most = Infinity) {
  const lines = [];
  const wanted = search ? nodesLeadingTo(tree, asciiLower(search)) : null;
  const visit = (node, key, parent, depth) => {
    if (lines.length > most || (wanted && !wanted.has(node))) return;
    const open = node.entries !== undefined && (wanted !== null || isOpen(node, depth));
    const line = { node, key, parent, depth, open, found: wanted?.get(node) === "found" };
    lines.push(line);
    if (open) for (const [name, child] of node.entries) visit(child, name, line, depth + 1);
  };
  visit(tree, null, null, 0);
  return lines;
}

function nodesLeadingTo(tree, search) {
  const wanted = new Map([[tree, "leads"]]);
  const visit = (node, key) => {
    let leads = [key, node.text].some((text) => asciiLower(String(text ?? "")).includes(search));
    if (leads) wanted.set(node, "found");
    for (const [name, child] of node.entries ?? []) if (visit(child, name)) leads = true;
    if (leads && !wanted.has(node)) wanted.set(node, "leads");
    return leads;
  };
  visit(tree, null);
  return wanted;
}

function pathTo(line) {
  return line.parent ? [...pathTo(line.parent), line.key] : [];
}

function valueText(node) {
  if (node.kind === "object") return `{${node.entries.length}}`;
  if (node.kind === "array") return `[${node.entries.length}]`;
  if (node.kind !== "string") return node.text;
  const cut = node.text.length > SHOWN_VALUE_CHARS ? `${node.text.slice(0, SHOWN_VALUE_CHARS)}…` : node.text;
  return JSON.stringify(cut);
}

class JsonTree {
  /** `copy(text, what)` is called when somebody wants a column's name, or the body as a whole. */
  constructor(text, copy, label = "payload") {
    this.label = label;
    this.tree = parseJson(text, TREE_NODES);
    this.copy = copy;
    this.toggled = new Map();
    this.shown = SHOWN_NODES;
    const small = treeLines(this.tree, (_, depth) => depth < SMALL_DEPTH, "", SMALL_TREE);
    this.depth = small.length <= SMALL_TREE ? SMALL_DEPTH : LARGE_DEPTH;
    this.build(text);
    this.draw();
  }

  build(text) {
    const label = `Search in the ${this.label}`;
    this.search = h("input", {
      ...{ class: "whl-input", type: "search", placeholder: label, "aria-label": label },
      ...{ oninput: () => this.draw(), onkeydown: (event) => this.searchKey(event) },
    });
    this.found = h("span", { class: "whl-dim", role: "status" });
    const open = button("Expand all", "Open every object and list", () => this.openTo(Infinity));
    const close = button("Collapse", "Show the first level only", () => this.openTo(1));
    const copy = button("Copy JSON", "Copy the body as it came", () => this.copy(text, "the body"));
    const hint = h("span", { class: "whl-dim", text: "Click a key to copy its column name" });
    const tools = h("div", { class: "whl-tools" }, this.search, this.found, open, close, copy, hint);
    this.list = h("div", {
      ...{ class: "whl-tree", role: "tree", "aria-label": this.label[0].toUpperCase() + this.label.slice(1) },
      onkeydown: treeKeys,
    });
    this.el = h("div", {}, tools, this.list);
  }

  /** From the search down into the tree. */
  searchKey(event) {
    if (event.key !== "ArrowDown") return;
    this.list.querySelector("[tabindex='0']")?.focus();
    consume(event);
  }

  openTo(depth) {
    this.depth = depth;
    this.toggled.clear();
    this.draw();
  }

  setOpen(node, open) {
    this.toggled.set(node, open);
    this.draw(node);
  }

  draw(focusOn = null) {
    const isOpen = (node, depth) => this.toggled.get(node) ?? depth < this.depth;
    const all = this.search.value !== ""; // so that the finds can be counted
    const lines = treeLines(this.tree, isOpen, this.search.value, all ? Infinity : this.shown);
    const shown = lines.slice(0, this.shown);
    const elements = shown.map((line) => this.lineElement(line));
    this.list.replaceChildren(...elements, ...(lines.length > shown.length ? [this.more()] : []));
    const at = shown.findIndex((line) => line.node === focusOn);
    elements[Math.max(at, 0)]?.setAttribute("tabindex", "0");
    if (at >= 0) elements[at].focus();
    const count = lines.filter((line) => line.found).length;
    setText(this.found, this.search.value ? countText(count, "match", "matches") : "");
  }

  more() {
    return button("Show more", null, () => ((this.shown *= 4), this.draw()));
  }

  lineElement(line) {
    const { node, key, depth, open, found } = line;
    const inside = node.entries !== undefined;
    const column = columnName(pathTo(line));
    const toggleIt = () => inside && this.setOpen(node, !open);
    const copyIt = () => this.copy(column, `column name ${column}`);
    const sign = inside ? (open ? "▾" : "▸") : "";
    const element = h(
      "div",
      {
        ...{ role: "treeitem", class: found ? "whl-node whl-found" : "whl-node", tabindex: "-1" },
        ...{ title: column, "aria-level": depth + 1, "aria-expanded": inside ? String(open) : null },
        style: `--depth: ${Math.min(depth, 40)}`,
      },
      h("span", { class: "whl-twisty", text: sign, "aria-hidden": "true", onclick: toggleIt }),
      h("span", { class: keyClass(key), text: key === null ? "$" : String(key), onclick: copyIt }),
      ":\u00a0",
      h("span", { class: `whl-value whl-${node.kind}`, text: valueText(node) }),
    );
    element.addEventListener("whl-copy", copyIt);
    element.addEventListener("whl-open", (event) => open !== event.detail && toggleIt());
    return element;
  }
}

function keyClass(key) {
  return typeof key === "number" ? "whl-index" : "whl-key";
}

function treeKeys(event) {
  const line = event.target.closest(".whl-node");
  const siblings = line && {
    ArrowDown: line.nextElementSibling,
    ArrowUp: line.previousElementSibling,
    Home: line.parentElement.firstElementChild,
    End: line.parentElement.lastElementChild,
  };
  const said = {
    ArrowRight: ["whl-open", { detail: true }],
    ArrowLeft: ["whl-open", { detail: false }],
    Enter: ["whl-copy", {}],
  }[event.key];
  if (siblings && event.key in siblings) moveTo(line, siblings[event.key]);
  else if (line && said) line.dispatchEvent(new CustomEvent(...said));
  else return;
  consume(event);
}

function moveTo(from, to) {
  if (!to) return;
  from.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
}

// ==============================================================================================
// A payload and what was fetched after it, side by side
// ==============================================================================================

const MARKED_DIFFERENCES = 2_000; // more are not marked: a patch is gone through one by one
const SIGNS = { changed: "≠", added: "+", removed: "−" };

/**
 * Both sides as one tree: {key, before, after, mark, entries}. `before` is a payload's node, `after`
 * what a JSON Patch (RFC 6902; a node, too) makes of it, null where a side has nothing there; `mark`
 * is "changed", "added", "removed" or "". Throws a RangeError for a patch that is too long.
 */
export function bothSides(payload, patch) {
  if (patch.entries.length > MARKED_DIFFERENCES) throw new RangeError("Too many differences");
  const root = sides(null, payload, payload);
  for (const [, operation] of patch.entries) {
    const said = new Map(operation.entries);
    applyOperation(root, (name) => said.get(name)?.text, said.get("value"));
  }
  return root;
}

function sides(key, before, after) {
  const inside = (node) => node?.entries ?? [];
  if (before === after) {
    const entries = inside(before).map(([k, each]) => sides(k, each, each));
    return { key, before, after, mark: "", entries };
  }
  const gone = inside(before).map(([k, each]) => sides(k, each, null));
  const came = inside(after).map(([k, each]) => sides(k, null, each));
  const mark = !before ? "added" : !after ? "removed" : "changed";
  return { key, before, after, mark, entries: [...gone, ...came] };
}

function applyOperation(root, text, value) {
  const path = pointer(text("path"));
  const name = text("op");
  if (name === "move") {
    const from = pointer(text("from"));
    const moved = afterOf(placeIn(root, from));
    takeOut(root, from);
    putIn(root, path, moved);
  } else if (name === "add") putIn(root, path, value);
  else if (name === "remove") takeOut(root, path);
  else if (name === "replace") changeTo(placeIn(root, path), value);
  else throw new Error(`The difference has “${name}” in it`);
}

function pointer(text) {
  const parts = text.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What is on the side of the API, as far as the patch was gone through. */
function afterOf({ after, entries }) {
  if (!after?.entries) return after;
  const list = entries.filter((each) => each.after);
  return { kind: after.kind, entries: list.map((each) => [each.key, afterOf(each)]) };
}

function placeIn(root, path) {
  return path.reduce((parent, part) => childOf(parent, part), root);
}

/** The entries that the API's side has, by index, or by key. */
function living(parent) {
  parent.living ??= {
    list: parent.entries.filter((each) => each.after),
    byKey: new Map(parent.entries.filter((each) => each.after).map((each) => [each.key, each])),
  };
  return parent.living;
}

function childOf(parent, part) {
  const { list, byKey } = living(parent);
  const child = parent.after?.kind === "array" ? list[Number(part)] : byKey.get(part);
  if (!child) throw new Error("The difference does not fit the payload");
  return child;
}

function changeTo(place, value) {
  Object.assign(place, sides(place.key, place.before, value), { living: null });
}

function putIn(root, path, value) {
  const [parent, part] = [placeIn(root, path.slice(0, -1)), path.at(-1)];
  if (part === undefined) return changeTo(root, value);
  const { list, byKey } = living(parent);
  if (parent.after.kind !== "array") {
    if (byKey.has(part)) return changeTo(byKey.get(part), value);
    byKey.set(part, sides(part, null, value));
    parent.entries.push(byKey.get(part));
    return undefined;
  }
  const index = part === "-" ? list.length : Number(part);
  const added = sides(index, null, value);
  const at = index < list.length ? parent.entries.indexOf(list[index]) : parent.entries.length;
  parent.entries.splice(at, 0, added);
  list.splice(index, 0, added);
  return undefined;
}

function takeOut(root, path) {
  const parent = placeIn(root, path.slice(0, -1));
  const gone = childOf(parent, path.at(-1));
  const { list, byKey } = living(parent);
  list.splice(list.indexOf(gone), 1);
  byKey.delete(gone.key);
  if (!gone.before) parent.entries.splice(parent.entries.indexOf(gone), 1);
  else Object.assign(gone, sides(gone.key, gone.before, null), { living: null });
}

/**
 * The lines of both sides: {key, depth, mark, before, after}. `differing`: only those that differ,
 * with what leads to them. An element's key is its index on the API's side, where it has one.
 */
export function sideLines(root, differing = false) {
  const lines = [];
  const visit = (place, key, depth) => {
    const at = lines.push({ key, depth, mark: place.mark, before: place.before, after: place.after });
    const isList = (place.after ?? place.before)?.kind === "array";
    let [before, after] = [0, 0];
    for (const each of place.entries) {
      const index = each.after ? after : before;
      if (each.before) before++;
      if (each.after) after++;
      visit(each, isList ? index : each.key, depth + 1);
    }
    if (differing && lines.length === at && !place.mark) lines.pop();
  };
  visit(root, null, 0);
  return lines;
}

/** What is said of a fetch: [the verdict, a sentence]. */
export function fetchVerdict({ error, state_chars, status, superseded }) {
  if (error !== null) return ["✗ not fetched", error];
  if (state_chars === null) return ["∅ not there", `The API has no such resource (${status}).`];
  if (superseded === null) return ["? unknown", "Whether the API had something newer cannot be told."];
  if (superseded) return ["≠ superseded", "The API had something newer than the payload."];
  return ["✓ not superseded", "The API had nothing newer than the payload."];
}

function fetchFacts(fetch, row) {
  const { fetched_at, status, attempts, elapsed_ms, url, fetcher, version, item } = fetch;
  const later = ((fetched_at - row.stored_at) / 1e6).toFixed(2);
  const requests = countText(attempts, "request", "requests");
  return [
    ["Fetched", fetched_at === null ? null : `${fullTime(fetched_at)}, ${later} s after it came`],
    ["Status", String(status ?? "none")],
    ["Took", elapsed_ms === null ? null : `${numberText(elapsed_ms)} ms, ${requests}`],
    ["Event", row.event_count === 1 ? null : `${item + 1} of ${row.event_count}`],
    ["Entity", [fetch.entity_type, fetch.entity_id].filter(Boolean).join(" ")],
    ["Version", version],
    ["GET", url],
    ["Fetcher", fetcher],
  ].filter(([, text]) => text);
}

function fetchSection(fetch, row, view) {
  const [verdict, sentence] = fetchVerdict(fetch);
  const badge = h("span", { class: "whl-badge", "data-fetch": verdict[0], text: verdict });
  const facts = fetchFacts(fetch, row).map(([label, text]) => {
    const name = h("span", { class: "whl-dim", text: `${label} ` });
    return h("span", { role: "listitem" }, name, h("span", { class: "whl-wire", text }));
  });
  return h(
    "section",
    { class: "whl-fetch", "aria-label": `Fetch: ${verdict}` },
    h("div", { class: "whl-verdict" }, badge, h("span", { class: "whl-wire", text: sentence })),
    h("div", { class: "whl-facts", role: "list", "aria-label": "Facts of the fetch" }, ...facts),
    fetch.state_chars === null ? null : fetchSides(fetch, row, view),
  );
}

function fetchSides(fetch, row, view) {
  if (fetch.left_out) return leftOut(fetch, row, view);
  const { payload, state, why } = fetch;
  const truth = () => jsonSide("now (API)", state, view);
  if (payload === null) return h("div", {}, note(`The payload is not shown beside it: ${why}.`), truth());
  const marked = markedSides(fetch);
  if (marked) return marked.el;
  const both = h("div", { class: "whl-apart" }, jsonSide("payload", payload, view), truth());
  return h("div", {}, note(fetch.difference === null ? UNCOMPARED : UNMARKED), both);
}

const UNCOMPARED = "No difference was made: the payload has no such object, or they are too large or too deep.";
const UNMARKED = "The differences are not marked: there are too many, or the payload has them elsewhere.";

/** Both sides with the differences marked; null where they have to be shown as they are. */
function markedSides({ payload, difference, place }) {
  if (difference === null || place === null) return null;
  try {
    const patch = parseJson(difference, TREE_NODES);
    const heads = [place.length ? `Payload (${columnName(place)})` : "Payload", "Now (API)"];
    const merged = bothSides(parseJson(payload, TREE_NODES), patch);
    return new SideBySide(merged, patch.entries.length, heads, ["payload", "API"]);
  } catch {
    return null;
  }
}

function leftOut({ id, left_out }, row, view) {
  const size = sizeText(left_out);
  if (left_out > view.held.limits.sidesBytes || view.held.lookups.truth.get(row.seq).whole) {
    return note(`Payload and state have ${size}, too much for here: lab.fetches.loc[${id}] has the state.`);
  }
  const all = () => (view.connection.lookUp("truth", row.seq, true), view.dirty());
  const show = button(`Show all ${size}`, "Ask the kernel for payload and state", all);
  return h("div", { class: "whl-tools" }, show, h("span", { class: "whl-dim", text: "Payload and state are large." }));
}

/** One side alone: a tree, or where there is too much for one, the beginning of the text. */
function jsonSide(label, text, view) {
  const title = h("h4", { text: label[0].toUpperCase() + label.slice(1) });
  try {
    if (text.length > TREE_CHARS) throw new RangeError("Too many characters");
    return h("div", {}, title, new JsonTree(text, (copied, what) => view.copy(copied, what), label).el);
  } catch {
    const shown = text.slice(0, SHOWN_CHARS);
    const pre = h("pre", { class: "whl-pre", tabindex: "0", "aria-label": label, text: shown });
    const part = `The first ${numberText(shown.length)} of ${numberText(text.length)} characters.`;
    return h("div", {}, title, pre, shown.length < text.length ? note(part) : null);
  }
}

/** Two sides as a table, line by line, the differences marked with a sign and a word. */
class SideBySide {
  /** `heads` stand above the sides; `names` are what they are called in a sentence. */
  constructor(merged, count, heads, names) {
    this.words = { changed: "changed", removed: `only in the ${names[0]}`, added: `only in the ${names[1]}` };
    const all = sideLines(merged);
    this.faces = { All: all, "Differences only": sideLines(merged, true) };
    const faces = Object.keys(this.faces);
    if (count && all.length > SMALL_TREE) faces.reverse();
    this.rows = h("tbody");
    this.rest = h("div");
    this.el = h("div", {}, this.tools(count, faces), this.table(heads), this.rest);
    this.pick(faces[0]);
  }

  tools(count, faces) {
    const text = count ? countText(count, "difference", "differences") : "Both say the same.";
    const shown = count ? choice("Lines", faces, (name) => this.pick(name)) : null;
    return h("div", { class: "whl-tools" }, h("span", { text }), shown);
  }

  table(heads) {
    const cells = ["Field", ...heads].map((text) => h("th", { scope: "col", text }));
    const head = h("thead", {}, h("tr", {}, ...cells));
    const given = { class: "whl-pairs whl-sides", "aria-label": "Side by side" };
    return h("table", given, head, this.rows);
  }

  pick(name) {
    this.shown = SHOWN_NODES;
    this.draw(name);
  }

  draw(name) {
    const lines = this.faces[name];
    const more = () => ((this.shown *= 4), this.draw(name));
    this.rows.replaceChildren(...lines.slice(0, this.shown).map((line) => sideRow(line, this.words)));
    this.rest.replaceChildren(...(lines.length > this.shown ? [button("Show more", null, more)] : []));
  }
}

function sideRow({ key, depth, mark, before, after }, words) {
  const word = mark ? h("span", { class: "whl-hidden", text: ` (${words[mark]})` }) : null;
  const title = words[mark];
  const sign = h("span", { class: "whl-sign", "aria-hidden": "true", title, text: SIGNS[mark] ?? "" });
  const name = h("span", { class: keyClass(key), text: key === null ? "$" : String(key) });
  const field = h("th", { scope: "row", style: `--depth: ${Math.min(depth, 40)}` }, sign, name, word);
  return h("tr", { "data-mark": mark || null }, field, sideCell(before), sideCell(after));
}

function sideCell(node) {
  if (!node) return h("td", { class: "whl-dim", text: "–" });
  return h("td", {}, h("span", { class: `whl-value whl-${node.kind}`, text: valueText(node) }));
}

// ==============================================================================================
// What was tried to send a delivery on, and what the targets answered
// ==============================================================================================

/** Attempts, the newest first, by their targets, in the order in which these were first tried. */
export function byTarget(tries) {
  const targets = new Map();
  for (const each of [...tries].reverse()) {
    if (!targets.has(each.target)) targets.set(each.target, { target: each.target, tries: [] });
    targets.get(each.target).tries.unshift(each);
  }
  return [...targets.values()];
}

/** What is said of an attempt: [a sign and a status, what went wrong or ""]. */
export function tryVerdict({ status, error }) {
  if (status === null) return ["✗ no answer", error ?? ""];
  const ok = status >= 200 && status < 300 && error === null;
  return [`${ok ? "✓" : "✗"} ${status}`, error ?? ""];
}

/** Who made it, such as "forward orders"; a replay's own name says nothing. */
export function senderText(sender) {
  const at = sender.indexOf(":");
  return sender.startsWith("forward:") ? `forward ${sender.slice(at + 1)}` : sender.slice(0, Math.max(at, 0));
}

/**
 * How an answer differs from that of another target: {status, headers, body}, where `status` is
 * whether it does, `headers` has the names that do, in lower case, and `body` is null where one of
 * the two was left out. Null where one of them is no answer.
 */
export function unlike(one, other) {
  if (one.status === null || other.status === null) return null;
  const [ours, theirs] = [one, other].map(({ headers }) => valuesOf(headers));
  const same = (name) => JSON.stringify(ours.get(name)) === JSON.stringify(theirs.get(name));
  const headers = [...new Set([...ours.keys(), ...theirs.keys()])].filter((name) => !same(name));
  const known = one.body_bytes !== other.body_bytes || !(one.left_out || other.left_out);
  return { status: one.status !== other.status, headers, body: known ? one.body !== other.body : null };
}

/** The values of headers by their names in lower case, in order. */
function valuesOf(pairs) {
  const found = new Map();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

/** What differs, in words. */
export function unlikeText({ status, headers, body }, first) {
  const parts = [
    status ? "the status" : "",
    headers.length ? `${headers.length === 1 ? "the header" : "the headers"} ${headers.join(", ")}` : "",
    body ? "the body" : "",
  ].filter(Boolean);
  const rest = body === null ? " Whether the body does is seen when all is shown." : "";
  const what = parts.length ? `≠ Differs from the answer of ${first}: ${parts.join("; ")}.` : `= Answered as ${first} did.`;
  return what + rest;
}

/** `first`: the target that the others are held against; itself for that one. */
function targetSection({ target, tries }, first, row, view) {
  const title = h("h4", { class: "whl-wire", text: target });
  const differs = first.target === target ? null : unlike(tries[0], first.tries[0]);
  const said = differs && h("p", { class: "whl-unlike whl-wire", text: unlikeText(differs, first.target) });
  const made = tries.map((each, at) => tryElement(each, at === 0, row, view, at === 0 ? differs : null));
  return h("section", { class: "whl-target", "aria-label": `Attempts at ${target}` }, title, said, ...made);
}

function tryElement(each, newest, row, view, differs) {
  const [verdict, why] = tryVerdict(each);
  const badge = h("span", { class: "whl-badge", "data-fetch": verdict[0], text: verdict });
  const again = newest && !each.final ? "it is tried again" : "";
  const facts = [
    `attempt ${numberText(each.attempt)}`,
    fullTime(each.started_at),
    `${numberText(each.elapsed_ms)} ms`,
    ...[senderText(each.sender) === `forward ${each.target}` ? "forward" : senderText(each.sender), again],
  ].filter(Boolean);
  const said = facts.map((text) => h("span", { class: "whl-wire", text }));
  return h(
    "div",
    { class: "whl-try" },
    h("div", { class: "whl-verdict" }, badge, why ? h("span", { class: "whl-wire", text: why }) : null),
    h("div", { class: "whl-facts" }, ...said),
    each.status === null ? null : answerElement(each, newest, row, view, differs),
  );
}

/** The target's answer, folded together where there is a newer one. */
function answerElement(each, newest, row, view, differs) {
  const open = view.unfolded.get(each.id) ?? newest;
  const size = each.body_bytes ? sizeText(each.body_bytes) : "no body";
  const text = `Answer: ${countText(each.headers.length, "header", "headers")}, ${size}`;
  const element = h("details", { open }, h("summary", { text }));
  element.addEventListener("toggle", () => view.unfolded.set(each.id, element.open));
  const masked = each.masked ? note(`Credentials are shown as ***; lab.attempts.loc[${each.id}] has them.`) : null;
  const table = pairsTable("Headers of the answer", ["Name", "Value"], each.headers);
  if (differs) markRows(table, each.headers, differs.headers);
  element.append(...[table, masked, answerBody(each, row, view)].filter(Boolean));
  return element;
}

/** Mark the rows of a table of pairs that have one of these names. */
function markRows(table, pairs, names) {
  const rows = [...table.querySelectorAll("tbody tr")];
  for (const [at, row] of rows.entries()) {
    if (!names.includes(pairs[at][0].toLowerCase())) continue;
    setAttribute(row, "data-mark", "changed");
    row.firstChild.prepend(h("span", { "aria-hidden": "true", text: "≠ " }));
    row.firstChild.append(h("span", { class: "whl-hidden", text: " (differs)" }));
  }
}

function answerBody(each, row, view) {
  if (each.left_out) return answerLeftOut(each, row, view);
  if (!each.body) return h("div");
  const shown = h("pre", { class: "whl-pre", tabindex: "0", "aria-label": "Body of the answer" });
  const kept = each.body_bytes >= view.held.limits.keptAnswerBytes;
  const rest = note(kept ? `No more than ${sizeText(each.body_bytes)} of it are kept.` : "");
  fillAnswer(shown, rest, each, view.held.limits.unpackedBytes);
  return h("div", {}, shown, rest);
}

async function fillAnswer(shown, rest, { body, headers }, limit) {
  const sent = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
  const codings = codingsOf(headers);
  const contentType = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1];
  setText(shown, textOrHex(sent, contentType));
  if (!codings.length) return;
  const { bytes, cut, error } = await unpack(sent, codings, limit);
  if (bytes.length) setText(shown, textOrHex(bytes, contentType));
  const packing = { codings, cut, error, sent: sent.length, unpacked: bytes.length };
  setText(rest, `${sizesText(packing)} ${rest.textContent}`);
}

function textOrHex(bytes, contentType) {
  return bodyText(bytes, contentType)?.slice(0, SHOWN_CHARS) ?? hexDump(bytes, SHOWN_HEX_BYTES);
}

function answerLeftOut({ id, left_out }, row, view) {
  const all = () => (view.connection.lookUp("tries", row.seq, true), view.dirty());
  if (view.held.lookups.tries.get(row.seq).whole) return note(`Too much for here: lab.attempts.loc[${id}] has it.`);
  return button(`Show all ${sizeText(left_out)}`, "Ask the kernel for the answers' bodies", all);
}

// ==============================================================================================
// The tabs of the details
// ==============================================================================================

// Each is one function: from {row, detail, content, view} to an element. A new tab is one function
// and one entry in TABS. `detail` has headers and body as they came, `content` the body unpacked:
// {bytes, packing}; a tab that `packed: true` says to do without it need not wait for that, and a
// `bodiless` one not for the detail. What `key` returns changes when the tab has to be shown anew.

const SHOWN_CHARS = 100_000;
const SHOWN_HEX_BYTES = 16_384;
const TREE_CHARS = 4_000_000;
const FORM_BYTES = 1_000_000;
const CODE_BYTES = 200_000;

const TABS = [
  { id: "payload", label: "Payload", show: payloadTab },
  { id: "now", label: "Now (API)", show: nowTab, packed: true, bodiless: true, key: lookUpKey("truth") },
  { id: "attempts", label: "Attempts", show: attemptsTab, packed: true, bodiless: true, key: lookUpKey("tries") },
  { id: "headers", label: "Headers", show: headersTab, packed: true },
  { id: "raw", label: "Raw", show: rawTab },
  { id: "form", label: "Query and form", show: formTab },
  { id: "code", label: "Code", show: codeTab, packed: true },
];

function payloadTab({ row, content, view }) {
  const { bytes, packing } = content;
  if (bytes.length === 0) return note("The body is empty.");
  const kind = kindOf(row.content_type, bytes);
  if (kind === "form" || kind === "multipart") return leadTo("form", "The body is a form.", view);
  if (kind === "other") return leadTo("raw", "The body is not JSON.", view);
  const text = bodyText(bytes, row.content_type);
  try {
    if (text === null) throw new SyntaxError("Not text");
    if (text.length > TREE_CHARS) throw new RangeError("Too many characters");
    return new JsonTree(text, (copied, what) => view.copy(copied, what)).el;
  } catch (error) {
    return note(whyNoTree(error, row, packing));
  }
}

/** In place of what a tab would show: why not, and the way to the tab that shows it. */
function leadTo(id, why, view) {
  const { label } = TABS.find((tab) => tab.id === id);
  const go = button(`Show “${label}”`, null, () => view.detail.pickTab(id));
  return h("div", { class: "whl-tools" }, note(why), go);
}

function whyNoTree(error, row, packing) {
  if (error instanceof RangeError)
    return `Too large for a tree: the tab “Raw” shows its beginning, lab[${row.seq}].body is all of it.`;
  const why = packing?.cut ? "it is cut" : error.message;
  return `The body cannot be read as JSON (${why}): see the tab “Raw”.`;
}

/** What was fetched after it, beside what it says: asked for, and again when there is more. */
function nowTab({ row, view }) {
  return lookedUp("truth", row, view, ({ count, fetches, outlook }) => {
    if (!count) return note(outlook);
    const rest = `The newest ${fetches.length} of ${countText(count, "fetch", "fetches")}: lab.fetches has all.`;
    const more = count > fetches.length ? note(rest) : null;
    return h("div", {}, ...fetches.map((fetch) => fetchSection(fetch, row, view)), more);
  });
}

/** What `show` makes of what the kernel has of a delivery, or why that is not here. */
function lookedUp(kind, row, view, show) {
  const { answer, error } = view.connection.lookUp(kind, row.seq);
  if (error) return note(`It could not be read: ${error}`);
  return answer ? show(answer) : h("p", { class: "whl-note whl-wait", text: view.connection.lookUpText(kind) });
}

/** For a tab's `key`. */
function lookUpKey(kind) {
  return (row, view) => {
    const { answer, error, version } = view.connection.lookUp(kind, row.seq);
    return answer || error ? version : view.connection.lookUpText(kind);
  };
}

/** What was tried to send it on: a column for each target, the newest attempt first. */
function attemptsTab({ row, view }) {
  return lookedUp("tries", row, view, ({ count, tries }) => {
    if (!count) return note("It was not sent on: the button “Replay…” above does that, lab.forward and lab.replay.");
    const targets = byTarget(tries);
    const columns = targets.map((each) => targetSection(each, targets[0], row, view));
    const rest = `The newest ${tries.length} of ${countText(count, "attempt", "attempts")}: lab.attempts has all.`;
    const more = count > tries.length ? note(rest) : null;
    return h("div", {}, h("div", { class: "whl-targets" }, ...columns), more);
  });
}

function headersTab({ row, detail, view }) {
  const pairs = JSON.parse(detail.headers);
  if (pairs.length === 0) return note("It came without headers.");
  const text = pairs.map(([name, value]) => `${name}: ${value}`).join("\n");
  const copy = button("Copy", "Copy them as they are shown", () => view.copy(text, "the headers"));
  const masked = detail.masked
    ? note(`Credentials are shown as ***; lab[${row.seq}].headers has them.`)
    : null;
  const count = h("span", { class: "whl-dim", text: countText(pairs.length, "header", "headers") });
  const tools = h("div", { class: "whl-tools" }, copy, count);
  return h("div", {}, tools, pairsTable("Headers", ["Name", "Value"], pairs), masked);
}

function rawTab({ row, detail, content, view }) {
  if (detail.body.length === 0) return note("The body is empty.");
  const text = bodyText(content.bytes, row.content_type);
  const faces = rawFaces(text, content.bytes, detail.body);
  const shown = h("pre", { class: "whl-pre", tabindex: "0", "aria-label": "Raw body" });
  const rest = note("");
  const draw = (name) => {
    const { part, full } = faces[name]();
    setText(shown, part);
    setText(rest, restText(full, name === "Text" ? SHOWN_CHARS : SHOWN_HEX_BYTES, row.seq));
  };
  const names = Object.keys(faces);
  draw(names[0]);
  const tools = h(
    "div",
    { class: "whl-tools" },
    choice("Shown as", names, draw),
    besideRaw(text, content, view),
  );
  return h("div", {}, tools, shown, rest);
}

/** The ways in which a body can be shown: a name, and what gives {part, full}. */
function rawFaces(text, unpacked, sent) {
  const dump = (bytes) => () => ({ part: hexDump(bytes, SHOWN_HEX_BYTES), full: bytes.length });
  return {
    ...(text === null ? {} : { Text: () => ({ part: text.slice(0, SHOWN_CHARS), full: text.length }) }),
    Hex: dump(unpacked),
    ...(unpacked === sent ? {} : { "Hex, as sent": dump(sent) }),
  };
}

function restText(full, shown, seq) {
  if (full <= shown) return "";
  return `The first ${numberText(shown)} of ${numberText(full)}; lab[${seq}].body has all.`;
}

function besideRaw(text, { bytes }, view) {
  if (text !== null) return button("Copy", "Copy the text", () => view.copy(text, "the body"));
  const binary = `${countText(bytes.length, "byte", "bytes")} that are not text`;
  return h("span", { class: "whl-dim", text: binary });
}

function formTab({ row, content }) {
  const kind = kindOf(row.content_type, content.bytes);
  const sections = [
    row.query_string ? ["Query", fieldsTable("Query", row.query_string)] : null,
    kind === "form" ? ["Form", formTable(content.bytes)] : null,
    kind === "multipart" ? ["Parts of the form", multipartTable(row, content.bytes)] : null,
  ].filter(Boolean);
  if (!sections.length) return note("There is no query string, and the body is not a form.");
  return h("div", {}, ...sections.flatMap(([title, table]) => [h("h4", { text: title }), table]));
}

function fieldsTable(label, text) {
  const pairs = parseUrlencoded(text, SHOWN_PAIRS);
  return pairsTable(label, ["Name", "Value"], pairs, fieldsOf(text).length);
}

function formTable(body) {
  const table = fieldsTable("Form", textOf(body.subarray(0, FORM_BYTES)));
  if (body.length <= FORM_BYTES) return table;
  return h("div", {}, table, note(`Of its first ${sizeText(FORM_BYTES)} only.`));
}

function multipartTable(row, body) {
  try {
    const parts = parseMultipart(body, row.content_type).map(({ name, filename, type, bytes }) => {
      const text = filename === null ? bodyText(bytes, type) : null;
      const value = text?.slice(0, SHOWN_VALUE_CHARS) ?? "";
      return [name, filename ?? "", type ?? "", sizeText(bytes.length), value];
    });
    return pairsTable("Parts", ["Name", "File", "Type", "Size", "Value"], parts);
  } catch (error) {
    return note(`The form cannot be read: ${error.message}. See the tab “Raw”.`);
  }
}

function codeTab({ row, detail, view }) {
  if (detail.body.length > CODE_BYTES || row.marks & TEXT_CUT) {
    return note(`Too long to be shown as code: use print(lab[${row.seq}].curl()) in a cell.`);
  }
  const request = sendable(row, detail, view.held.state?.url || "http://127.0.0.1/");
  const shown = h("pre", { class: "whl-pre", tabindex: "0", "aria-label": "Code" });
  const draw = (language) => (shown.textContent = (language === "curl" ? curlCode : pythonCode)(request));
  const copy = button("Copy", "Copy the code", () => view.copy(shown.textContent, "the code"));
  const tools = h("div", { class: "whl-tools" }, choice("Language", ["curl", "Python"], draw), copy);
  draw("curl");
  return h("div", {}, tools, shown);
}

// ==============================================================================================
// Sending one delivery by hand: as it came, or edited
// ==============================================================================================

// What belongs to one hop is set by what sends (webhooklab/sending/outgoing.py).
const SET_BY_SENDER = new Set([
  ...["host", "content-length", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization"],
  ...["proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"],
]);
const EDITED_CHARS = 1_000_000;

/** Headers as lines to edit, without those that are set by what sends. */
export function headerLines(pairs) {
  const own = pairs.filter(([name]) => !SET_BY_SENDER.has(name.toLowerCase()));
  return own.map(([name, value]) => `${name}: ${value}`).join("\n");
}

/**
 * What was changed in lines of headers: {changes, error}, where `changes` has a value or null (to
 * take it away) by name. What is as it was is not named, so what is shown as *** stays what it is.
 */
export function headerChanges(before, after) {
  const [was, is] = [valuesByName(before), valuesByName(after)];
  const odd = is.get("");
  if (odd) return { changes: {}, error: `“${odd.values[0]}” is no header: write Name: value.` };
  const changes = []; // pairs: a name may be __proto__
  for (const key of new Set([...was.keys(), ...is.keys()])) {
    const [old, now] = [was.get(key)?.values ?? [], is.get(key)?.values ?? []];
    if (JSON.stringify(old) === JSON.stringify(now)) continue;
    const name = (is.get(key) ?? was.get(key)).name;
    if (now.length > 1) return { changes: {}, error: `${name} is there several times: set it once, or leave it.` };
    changes.push([name, now[0] ?? null]);
  }
  return { changes: Object.fromEntries(changes), error: "" };
}

/** Lines of headers by their names in lower case; what is none has the name "". */
function valuesByName(text) {
  const found = new Map();
  for (const line of text.split("\n").filter((each) => each.trim())) {
    const [, name, value] = /^([^\s:]+):(.*)$/.exec(line) ?? [null, "", line];
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, { name, values: [] });
    found.get(key).values.push(value.trim());
  }
  return found;
}

/** A body as text to edit: {text, why}, where `why` says why it cannot be edited, and text is null. */
export function editableBody(row, { bytes, packing }) {
  const text = bodyText(bytes, row.content_type);
  if (packing?.cut || packing?.error) return { text: null, why: "it could not be unpacked" };
  if (text === null) return { text, why: "it is not text" };
  if (encodingOf(bytes, row.content_type) !== "utf-8") return { text: null, why: "it is not in UTF-8" };
  if (text.length > EDITED_CHARS) return { text: null, why: "it is too large" };
  return { text, why: "" };
}

/** An edited text with the ends of lines that it had: the browser knows only one of them. */
export function withLineEnds(edited, original) {
  const carriage = original.includes("\r\n") && !/[^\r]\n|^\n/.test(original);
  return carriage ? edited.replaceAll("\n", "\r\n") : edited;
}

/** Whether the kernel has what a delivery's provider signs with. */
export function canSign(state, { provider, verified }) {
  return verified !== "unchecked" && (state?.signers ?? []).includes(provider);
}

const SIGNATURE_BROKEN =
  "Once its body is edited, its signature is wrong: lab.replay(…, resign=secret) signs anew. Where " +
  "lab.verify_with has the secret in this kernel, it can be signed from here.";
const SEND_AGAIN = "Send it all the same";
const UNKNOWN_END = "The kernel has ended: whether it was sent is not known.";

/** Where to send a delivery, and what: nothing is sent before its button is pressed. */
class SendForm {
  /** `content` null: it is sent as it came; else its body, unpacked, and its headers are edited. */
  constructor(view, row, detail, content, label = content ? "Edit and send" : "Replay") {
    Object.assign(this, { view, row, detail, content, phase: "idle", said: "", question: null });
    this.el = h("form", {
      ...{ class: "whl-send", "aria-label": label },
      ...{ "data-lm-suppress-shortcuts": true, oninput: () => this.settle("idle", "") },
      ...{ onsubmit: (event) => (event.preventDefault(), this.submit()), onkeydown: (event) => this.key(event) },
    });
    this.el.append(...this.parts().filter(Boolean));
    this.draw();
  }

  parts() {
    this.status = h("span", { role: "status", class: "whl-wire" });
    this.again = button(SEND_AGAIN, null, () => this.ask({ ...this.question, confirmed: true }));
    this.go = h("button", { class: "whl-button", type: "submit", text: "Send" });
    const cancel = button("Cancel", "Close this (Escape)", () => this.view.closeForm());
    const line = h("div", { class: "whl-tools" }, ...this.targetParts(), this.go, cancel);
    const edited = this.content ? this.editors() : [];
    return [line, ...edited, this.signing(), h("div", {}, this.status, " ", this.again)];
  }

  targetParts() {
    const forwards = (this.view.held.state?.pulls ?? []).filter(({ kind }) => kind === "Forward");
    const options = forwards.map(({ name }) => h("option", { value: name, text: `the forward ${name}` }));
    const typed = h("option", { value: "", text: "the URL" });
    this.forward = h("select", { class: "whl-input", "aria-label": "Send to" }, typed, ...options);
    this.forward.hidden = !forwards.length;
    this.url = this.urlInput();
    return [h("span", { text: `Send #${this.row.seq} to` }), this.forward, this.url];
  }

  urlInput() {
    const url = h("input", {
      ...{ class: "whl-input whl-filter", type: "text", inputmode: "url", spellcheck: "false" },
      ...{ "aria-label": "URL to send to", placeholder: "http://localhost:3000/hooks" },
    });
    url.value = this.view.lastUrl;
    return url;
  }

  /** Whether it is signed anew, where the kernel has the secret: it stays there. */
  signing() {
    if (!canSign(this.view.held.state, this.row)) return null;
    const title = "With the secret that lab.verify_with was given: it does not leave the kernel";
    const checked = this.content !== null && this.row.verified === "valid";
    this.resign = h("input", { type: "checkbox", checked });
    const text = `Sign it anew, as ${this.row.provider} would now`;
    return h("label", { class: "whl-signing", title }, this.resign, h("span", { text }));
  }

  editors() {
    const { text, why } = editableBody(this.row, this.content);
    this.lines = headerLines(JSON.parse(this.detail.headers));
    this.headers = editor("Headers", this.lines);
    this.original = text;
    this.body = text === null ? null : editor("Body", text);
    this.before = this.body?.value;
    const signed = !["unchecked", "unsigned"].includes(this.row.verified);
    const notes = [
      this.detail.masked ? "What is shown as *** is sent as it came." : "",
      this.body ? "" : `The body is sent as it is: ${why}.`,
      signed && !canSign(this.view.held.state, this.row) ? SIGNATURE_BROKEN : "",
    ];
    const labels = [labelled("Headers", this.headers), this.body ? labelled("Body", this.body) : null];
    return [...labels, ...notes.filter(Boolean).map(note)];
  }

  submit() {
    if (this.waits) return;
    const edits = this.edits();
    const named = this.forward.value;
    const to = this.url.value.trim();
    if (edits.error) this.settle("failed", edits.error);
    else if (!named && !to) this.settle("failed", "Type the URL to send it to.");
    else this.ask({ kind: "resend", seq: this.row.seq, ...(named ? { forward: named } : { to }), ...edits.changed });
  }

  edits() {
    const resign = this.resign?.checked ? { resign: true } : {};
    if (!this.content) return { changed: resign, error: "" };
    const { changes, error } = headerChanges(this.lines, this.headers.value);
    const same = !this.body || this.body.value === this.before;
    const body = same ? {} : { body: withLineEnds(this.body.value, this.original) };
    return { changed: { headers: changes, ...body, ...resign }, error };
  }

  ask(question) {
    const { connection } = this.view;
    if (!connection.alive) return this.settle("failed", "The kernel does not answer: nothing was sent.");
    this.view.lastUrl = question.to ?? this.view.lastUrl;
    this.question = { ...question, id: connection.newId() };
    this.settle("asked", "");
    return connection.ask(this.question);
  }

  get waits() {
    return this.phase === "asked" || this.phase === "heard";
  }

  /** The kernel has heard of it, has sent it, or says why not. */
  hear({ id, outcome, text }) {
    if (id === this.question?.id) this.settle(outcome, text);
  }

  fail(id) {
    if (id === null && this.waits) this.settle("failed", UNKNOWN_END);
  }

  settle(phase, said) {
    if (phase === "idle" && this.waits) return; // typing does not call it back
    Object.assign(this, { phase, said });
    this.draw();
  }

  draw() {
    const asked = this.view.connection.waitText(this.question?.kind, "Sending…");
    const signs = { sent: "✓ ", refused: "✗ ", failed: "✗ " };
    const texts = { asked, heard: "Sending: the target has not answered yet…" };
    setText(this.status, texts[this.phase] ?? (signs[this.phase] ?? "") + this.said);
    setAttribute(this.status, "data-outcome", this.phase);
    this.again.hidden = this.phase !== "confirm";
    this.go.disabled = this.waits;
    this.url.hidden = Boolean(this.forward?.value);
  }

  key(event) {
    event.stopPropagation(); // Shift+Enter is not for the cell
    if (event.key === "Escape") this.view.closeForm();
  }
}

/** Where to send what comes from now on, as lab.forward does. */
class ForwardForm extends SendForm {
  constructor(view, row) {
    super(view, row, null, null, "Forward");
  }

  signing() {
    return null;
  }

  targetParts() {
    this.url = this.urlInput();
    this.where = h("input", {
      ...{ class: "whl-input whl-filter", type: "text", spellcheck: "false" },
      ...{ "aria-label": "Only what this filter finds", placeholder: "all of it" },
    });
    this.where.value = this.row.event_type === null ? "" : withTerm("", "type", this.row.event_type);
    const [to, only] = ["Forward what comes from now on to", "only"].map((text) => h("span", { text }));
    return [to, this.url, only, this.where];
  }

  submit() {
    if (this.waits) return;
    const [to, where] = [this.url.value.trim(), this.where.value.trim()];
    if (!to) this.settle("failed", "Type the URL to forward to.");
    else this.ask({ kind: "forward", to, where });
  }
}

function editor(label, text) {
  const rows = Math.min(Math.max(text.split("\n").length, 2), 10);
  const area = h("textarea", { class: "whl-input whl-editor", "aria-label": label, rows, spellcheck: "false" });
  area.value = text;
  return area;
}

function labelled(text, element) {
  return h("label", {}, h("span", { class: "whl-dim", text }), element);
}

// ==============================================================================================
// Two deliveries, held against each other
// ==============================================================================================

/** What a delivery is best held against: its first, else the one before it of its entity or type. */
export function counterpart(row, rows) {
  if (row.duplicate_of !== null) return row.duplicate_of;
  const earlier = rows.filter(({ seq }) => seq < row.seq);
  const of = (name) => (row[name] === null ? undefined : earlier.findLast((each) => each[name] === row[name]));
  return (of("entity_id") ?? of("event_type") ?? earlier.at(-1))?.seq ?? null;
}

/** With which other delivery to compare the selected one; a row that is clicked on is taken. */
class DiffForm {
  constructor(view, row) {
    Object.assign(this, { view, row, asked: null, said: "" });
    const key = (event) => (event.stopPropagation(), event.key === "Escape" && view.closeForm());
    this.other = h("input", {
      ...{ class: "whl-input", type: "text", inputmode: "numeric", size: 9, "aria-label": "Number of the other delivery" },
    });
    this.other.value = counterpart(row, view.held.rows) ?? "";
    const go = h("button", { class: "whl-button", type: "submit", text: "Compare" });
    const close = button("Close", "Close this (Escape)", () => view.closeForm());
    this.status = h("span", { role: "status", class: "whl-dim" });
    this.result = h("div", { class: "whl-difference" });
    const about = h("span", { text: `Diff #${row.seq} with #` });
    const line = h("div", { class: "whl-tools" }, about, this.other, go, close, this.status);
    const given = { class: "whl-send", "aria-label": "Diff", "data-lm-suppress-shortcuts": true, onkeydown: key };
    const onsubmit = (event) => (event.preventDefault(), this.ask());
    this.el = h("section", given, h("form", { onsubmit }, line), this.result);
    this.draw();
  }

  /** A row that was clicked on. */
  take(seq) {
    this.other.value = seq;
    this.ask();
  }

  ask() {
    const { connection } = this.view;
    const seq = Number(this.other.value);
    if (!Number.isSafeInteger(seq) || seq < 1) return this.say("Type a number, or click on a row.");
    this.asked = { id: connection.newId(), left: Math.min(seq, this.row.seq), right: Math.max(seq, this.row.seq) };
    this.result.replaceChildren();
    connection.ask({ kind: "pair", ...this.asked });
    return this.say("");
  }

  say(text) {
    this.said = text;
    this.draw();
  }

  draw() {
    const hint = "or click on the other row";
    const asks = this.view.connection.waitText("pair", "Asking the kernel…");
    setText(this.status, this.asked ? asks : this.said || hint);
  }

  hear({ id }, buffer) {
    if (id !== this.asked?.id) return;
    const heads = [this.asked.left, this.asked.right].map((seq) => `#${seq}`);
    this.asked = null;
    this.result.replaceChildren(pairElement(JSON.parse(textOf(buffer)), heads, this.view));
    this.say(" ");
  }

  fail(id) {
    if (id !== null && id !== this.asked?.id) return;
    this.asked = null;
    this.say("They could not be compared.");
  }
}

function pairElement(pair, heads, view) {
  const rows = pair.headers.map(([name, ...values]) => [name, ...values.map((each) => each.join("\n") || "–")]);
  const headers = rows.length ? pairsTable("Headers that differ", ["Header", ...heads], rows) : null;
  return h("div", {}, pairBodies(pair, heads, view), headers ?? note("The headers are the same."));
}

function pairBodies({ left, right, difference }, heads, view) {
  const marked = difference === null ? null : markedPair(left, right, difference, heads);
  if (marked) return marked.el;
  const sides = [left, right].map(({ text, why }, at) =>
    text === null ? note(`${heads[at]} is not shown: ${why}.`) : jsonSide(heads[at], text, view),
  );
  const both = left.text !== null && right.text !== null;
  return h("div", {}, both ? note(UNPAIRED) : null, h("div", { class: "whl-apart" }, ...sides));
}

const UNPAIRED = "The differences are not marked: there are too many, or these are too large.";

function markedPair(left, right, difference, heads) {
  try {
    const patch = parseJson(difference, TREE_NODES);
    const merged = bothSides(parseJson(left.text, TREE_NODES), patch);
    return new SideBySide(merged, patch.entries.length, heads, ["left one", "right one"]);
  } catch {
    return null;
  }
}

// ==============================================================================================
// The details of one delivery
// ==============================================================================================

/** What is said of a row above the tabs: [label, text, the filter that finds others like it]. */
function factsOf(row, since) {
  const answer = answerText(row, since);
  const facts = [
    ["Received", fullTime(row.received_at)],
    ["From", `${row.remote ?? "an unknown address"} (${row.source})`],
    ["Size", `${sizeText(row.body_bytes)}, ${row.content_type ?? "no Content-Type"}`],
    ["Answer", answer, row.status === null ? null : ["status", answer]],
    ["Provider", row.provider, ["provider", row.provider]],
    ["Type", typeText(row), row.event_type === null ? null : ["type", row.event_type]],
    ["Event", row.event_id, ["id", row.event_id]],
    ["Entity", entityText(row), row.entity_id === null ? null : ["entity", row.entity_id]],
    ["Version", row.version],
    ["Happened", row.occurred_at === null ? null : fullTime(row.occurred_at)],
    ["Cut", row.marks & TEXT_CUT ? "long texts, here and in the table" : null],
  ];
  return facts.filter(([, text]) => text);
}

const FOCUSABLE = "button, input, textarea, summary, [tabindex='0']";

class Detail {
  /** `view` is who shows it: it copies, selects and filters. */
  constructor(view, prefix) {
    Object.assign(this, { view, prefix, tab: TABS[0].id, unpacked: null });
    this.el = h("section", { class: "whl-detail", "aria-label": "The selected delivery", hidden: true });
    this.head = h("div", { class: "whl-about" });
    this.tabs = TABS.map(({ id, label }) => this.tabElement(id, label));
    const list = h(
      "div",
      {
        ...{ class: "whl-tabs", role: "tablist", "aria-label": "Details" },
        onkeydown: (event) => this.tabKey(event),
      },
      ...this.tabs,
    );
    this.panel = h("div", {
      ...{ class: "whl-panel", role: "tabpanel", id: `${prefix}-panel` },
      onkeydown: (event) => this.panelKey(event),
    });
    this.body = h("div", {}, list, this.panel);
    this.form = null; // what is about to be sent
    this.el.append(this.head, this.body);
  }

  tabElement(id, label) {
    return h("button", {
      ...{ class: "whl-tab", role: "tab", text: label, id: `${this.prefix}-tab-${id}` },
      ...{ "aria-controls": `${this.prefix}-panel`, onclick: () => this.pickTab(id) },
    });
  }

  /** Show a row and its detail; `wait` says why one of them is not there. Selected null: nothing. */
  draw(selected, row, detail, wait) {
    this.shown = { selected, row, detail, wait };
    this.el.hidden = selected === null;
    if (this.form && this.form.row.seq !== selected) this.closeForm();
    if (selected === null) return;
    this.body.hidden = !row;
    if (this.wantsForm) this.openForm(this.wantsForm);
    this.form?.draw();
    this.drawHead();
    if (row) this.drawPanel();
  }

  // The head

  drawHead() {
    const { selected, row, wait } = this.shown;
    const key = `${selected} ${row ? `${row.changes} ${this.view.since}` : wait}`;
    if (key === this.headKey) return;
    this.headKey = key;
    this.head.replaceChildren(...(row ? this.about(row).filter(Boolean) : [note(wait)]));
  }

  about(row) {
    const code = `lab[${row.seq}]`;
    const copy = button(`Copy ${code}`, "The Python that gives this delivery", () =>
      this.view.copy(code, code),
    );
    const close = button("Close", "Close the details (Escape)", () => this.view.closeDetail());
    const replay = button("Replay…", "Send it again, as it came", () => this.openForm("replay"));
    const forward = button("Forward…", "Send on what comes from now on", () => this.openForm("forward"));
    const edit = button("Edit and send…", "Change its body and headers, and send that", () => this.openForm("edit"));
    const diff = button("Diff with…", "Hold it against another delivery", () => this.openForm("diff"));
    const title = h("strong", { text: `#${row.seq} ${row.method}` });
    const path = h("span", { class: "whl-path", text: targetText(row), title: targetText(row) });
    const facts = factsOf(row, this.view.since).map((fact) => this.factElement(...fact));
    return [
      h("div", { class: "whl-title" }, title, path, replay, edit, forward, diff, copy, close),
      this.verdict(row),
      h("div", { class: "whl-facts", role: "list", "aria-label": "Facts" }, ...facts),
    ];
  }

  /** Show what it takes to send it: at once, or when what is to be edited is here. */
  openForm(kind) {
    const { row, detail } = this.shown;
    const content = kind === "edit" && detail ? this.contentOf(detail) : null;
    const waits = kind === "edit" && !content;
    this.wantsForm = waits ? kind : null;
    if (waits) return;
    this.closeForm();
    const { view } = this;
    if (kind === "diff") this.form = new DiffForm(view, row);
    else if (kind === "forward") this.form = new ForwardForm(view, row);
    else this.form = new SendForm(view, row, detail, content);
    this.el.insertBefore(this.form.el, this.body);
    this.form.el.querySelector("input").focus();
  }

  closeForm() {
    this.form?.el.remove();
    this.form = this.wantsForm = null;
  }

  /** The signature's verdict in words, and the delivery of which this is a repetition. */
  verdict(row) {
    const said = verdictText(row);
    const badge = said ? h("span", { class: "whl-badge", "data-verified": row.verified, text: said }) : null;
    const reason = said ? h("span", { text: verdictReason(row) ?? "" }) : null;
    const again = row.duplicate_of === null ? null : this.firstButton(row.duplicate_of);
    if (!badge && !again) return null;
    return h("div", { class: "whl-verdict" }, badge, reason, again);
  }

  firstButton(seq) {
    const show = () => this.view.show(seq);
    return button(`↻ The same event as #${seq}`, `Show delivery ${seq}, its first`, show);
  }

  factElement(label, text, term) {
    const name = h("span", { class: "whl-dim", text: `${label} ` });
    if (!term) return h("span", { role: "listitem" }, name, text);
    const only = () => this.view.filterBy(...term);
    const title = `Show only those with this ${label.toLowerCase()}`;
    return h(
      "span",
      { role: "listitem" },
      name,
      h("button", { class: "whl-term", text, title, onclick: only }),
    );
  }

  // The tabs

  drawPanel() {
    const { row, detail } = this.shown;
    const tab = TABS.find(({ id }) => id === this.tab);
    const content = detail && !tab.packed ? this.contentOf(detail) : null;
    const waits = this.waitsFor(tab, content);
    const key = `${row.seq} ${this.view.held.revision} ${this.tab} ${waits} ${tab.key?.(row, this.view)}`;
    if (key === this.drawnKey) return;
    this.drawnKey = key;
    this.markTab();
    const shown = waits ? h("p", { class: "whl-note whl-wait", text: waits }) : this.show(tab, content);
    const again = this.panelOf === `${row.seq} ${this.tab}`; // what it shows has changed
    const { scrollTop } = this.panel;
    this.panelOf = `${row.seq} ${this.tab}`;
    this.panel.replaceChildren(...this.packingNote(content), shown);
    // What scrolls has to be reached with the keyboard.
    setAttribute(this.panel, "tabindex", this.panel.querySelector(FOCUSABLE) ? null : "0");
    this.panel.scrollTop = again ? scrollTop : 0;
  }

  /** What a tab still has to wait for, in words; "" for nothing. */
  waitsFor(tab, content) {
    if (!this.shown.detail && !tab.bodiless) return this.shown.wait;
    return tab.packed || content ? "" : "Unpacking the body…";
  }

  show(tab, content) {
    const { row, detail } = this.shown;
    try {
      return tab.show({ row, detail, content, view: this.view });
    } catch (error) {
      return note(`This cannot be shown (${error.message}): see the tab “Raw”.`);
    }
  }

  markTab() {
    TABS.forEach(({ id }, at) => {
      setAttribute(this.tabs[at], "aria-selected", id === this.tab);
      setAttribute(this.tabs[at], "tabindex", id === this.tab ? "0" : "-1");
    });
    setAttribute(this.panel, "aria-labelledby", `${this.prefix}-tab-${this.tab}`);
  }

  pickTab(id) {
    this.tab = id;
    this.drawPanel();
    this.focus();
  }

  focus() {
    this.tabs.find((tab) => tab.getAttribute("aria-selected") === "true")?.focus();
  }

  tabKey(event) {
    const at = TABS.findIndex(({ id }) => id === this.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (event.key === "Escape") this.view.closeDetail();
    else if (to !== undefined) this.pickTab(TABS[(to + TABS.length) % TABS.length].id);
    else return;
    consume(event);
  }

  /** Escape leaves the details, as the line below the table says; it empties a search first. */
  panelKey(event) {
    if (event.key !== "Escape" || event.target.value) return;
    this.view.closeDetail();
    consume(event);
  }

  // The body, unpacked once while it is looked at

  /** {bytes, packing} of a body; null while it is being unpacked. */
  contentOf(detail) {
    if (this.unpacked?.detail === detail) return this.unpacked.content;
    const codings = codingsOf(JSON.parse(detail.headers));
    if (!codings.length || !detail.body.length) return { bytes: detail.body, packing: null };
    this.unpack(detail, codings);
    return null;
  }

  async unpack(detail, codings) {
    const unpacked = { detail, content: null };
    this.unpacked = unpacked;
    const { bytes, cut, error } = await unpack(detail.body, codings, this.view.held.limits.unpackedBytes);
    const packing = { codings, cut, error, sent: detail.body.length, unpacked: bytes.length };
    unpacked.content = { bytes: error && !bytes.length ? detail.body : bytes, packing };
    this.view.dirty();
  }

  packingNote(content) {
    return content?.packing
      ? [h("p", { class: "whl-note whl-packing", text: packingText(content.packing) })]
      : [];
  }
}

/** Such as "gzip, 1.2 kB → 8.0 kB". */
export function packingText(packing) {
  const whole = !packing.cut && !packing.error;
  return sizesText(packing) + (whole ? " lab[…].body and lab.payloads have it as it was sent." : "");
}

function sizesText({ codings, cut, error, sent, unpacked }) {
  const coding = codings.join(", ");
  if (error && !unpacked) return `${coding}, ${sizeText(sent)}: shown as it was sent (${error}).`;
  const sizes = `${coding}, ${sizeText(sent)} → ${sizeText(unpacked)}`;
  if (cut) return `${sizes} and more: it is unpacked no further here.`;
  return error ? `${sizes}, then it is broken (${error}).` : `${sizes}.`;
}

// ==============================================================================================
// The table: only the lines in sight are elements, and these are used again and again
// ==============================================================================================

const LINE_PX = 24; // as --whl-line in inbox.css
const SPARE_LINES = 6; // drawn above and below what is in sight

/** `text` and `title` are of a row, now ({today, since}); `mark` is a small button before the text. */
const COLUMNS = [
  { id: "seq", label: "#", text: (row) => String(row.seq) },
  {
    id: "received_at",
    label: "Time (UTC)",
    text: (row, { today }) => timeText(row.received_at, today),
    title: (row) => fullTime(row.received_at),
  },
  { id: "method", label: "Method", text: (row) => row.method },
  { id: "path", label: "Path", text: targetText, title: targetText },
  { id: "event_type", label: "Type", text: typeText, title: typeText, mark: (row) => row.duplicate_of },
  { id: "entity_id", label: "Entity", text: (row) => row.entity_id ?? row.entity_type, title: entityText },
  {
    id: "body_bytes",
    label: "Size",
    text: (row) => sizeText(row.body_bytes),
    title: (row) => countText(row.body_bytes, "byte", "bytes"),
  },
  { id: "verified", label: "Verified", text: verdictText, title: verdictReason },
  {
    id: "status",
    label: "Answer",
    text: (row, { since }) => answerText(row, since),
    title: (row, { since }) => UNANSWERED[answerText(row, since)] ?? null,
  },
  { id: "source", label: "Source", text: (row) => row.source },
];
const TIME_FIRST = new Set(["seq", "received_at", "body_bytes"]); // the greatest at the top

class Grid {
  /** `on` has pick(seq), toggle(group's key), sort(column), scroll() and key(event). */
  constructor(prefix, on) {
    Object.assign(this, { prefix, on, count: 0, top: 0, height: 0, pool: [] });
    this.heads = COLUMNS.map((column, at) => this.headElement(column, at));
    const head = h("div", { role: "row", class: "whl-line whl-head", "aria-rowindex": "1" }, ...this.heads);
    this.rows = h("div", { class: "whl-rows", role: "rowgroup", onclick: (event) => this.click(event) });
    this.el = h(
      "div",
      {
        ...{ class: "whl-grid", role: "grid", tabindex: "0", "aria-label": "Deliveries, the newest first" },
        ...{ "aria-colcount": COLUMNS.length, onkeydown: on.key },
      },
      h("div", { role: "rowgroup", class: "whl-headgroup" }, head),
      this.rows,
    );
    this.el.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.el);
  }

  headElement({ id, label }, at) {
    const sort = h("button", { text: label, title: `Sort by ${label}`, onclick: () => this.on.sort(id) });
    const place = { role: "columnheader", "aria-colindex": at + 1 };
    return h("div", { ...place, class: `whl-cell whl-c-${id}` }, sort);
  }

  scrolled() {
    this.top = this.el.scrollTop;
    this.on.scroll();
  }

  resized() {
    this.height = this.el.clientHeight;
    this.on.scroll();
  }

  click(event) {
    const first = event.target.closest(".whl-mark")?.dataset.seq;
    const line = event.target.closest(".whl-line")?.line;
    if (first) this.on.pick(Number(first));
    else if (line?.group) this.on.toggle(line.key);
    else if (line) this.on.pick(line.seq);
  }

  /** How many lines fit, the header's own left out. */
  get page() {
    return Math.max(1, Math.floor(this.height / LINE_PX) - 1);
  }

  setCount(count) {
    if (count === this.count) return;
    this.count = count;
    this.rows.style.height = `${count * LINE_PX}px`;
    setAttribute(this.el, "aria-rowcount", count + 1);
  }

  scrollTo(top) {
    const bounded = Math.max(0, Math.min(top, (this.count + 1) * LINE_PX - this.height));
    if (Math.abs(bounded - this.top) < 1) return;
    this.top = bounded;
    this.el.scrollTop = bounded;
  }

  reveal(index) {
    const [first, last] = [this.top / LINE_PX, this.top / LINE_PX + this.page];
    if (index < first) this.scrollTo(index * LINE_PX);
    else if (index + 1 > last) this.scrollTo((index + 1 - this.page) * LINE_PX);
  }

  /** Show these lines. All writes, no reads of the layout. */
  draw({ count, lineAt, selected, now, sort, grouped }) {
    this.setCount(count);
    const first = Math.max(0, Math.floor(this.top / LINE_PX) - SPARE_LINES);
    const last = Math.min(count, Math.ceil((this.top + this.height) / LINE_PX) + SPARE_LINES);
    this.grow(last - first);
    const unused = new Set(this.pool);
    let active = null;
    for (let index = first; index < last; index++) {
      // Counted from the oldest, so that a line keeps its element when newer ones come above it.
      const element = this.pool[(count - 1 - index) % this.pool.length];
      const line = lineAt(index);
      unused.delete(element);
      this.place(element, index);
      this.fill(element, line, now, grouped);
      if (this.markSelected(element, line, selected)) active = element.id;
    }
    for (const element of unused) element.style.display = "none";
    setAttribute(this.el, "role", grouped ? "treegrid" : "grid");
    setAttribute(this.el, "aria-activedescendant", active);
    this.markSort(sort);
  }

  grow(needed) {
    while (this.pool.length < needed) {
      const cells = COLUMNS.map(cellElement);
      const id = `${this.prefix}-line-${this.pool.length}`;
      const element = h("div", { role: "row", class: "whl-line", id }, ...cells);
      this.pool.push(element);
      this.rows.append(element);
    }
  }

  place(element, index) {
    element.style.display = "";
    const place = `translateY(${index * LINE_PX}px)`;
    if (element.style.transform !== place) element.style.transform = place;
    setAttribute(element, "aria-rowindex", index + 2);
  }

  fill(element, line, now, grouped) {
    const { today, since } = now;
    const drawn = line.group
      ? `${line.key}\n${line.count}\n${line.open}\n${line.last.seq}\n${today}`
      : `${today} ${since} ${line.changes} ${grouped}`;
    if (element.line === line && element.drawn === drawn) return;
    element.line = line;
    element.drawn = drawn;
    element.classList.toggle("whl-group", line.group === true);
    if (line.group) fillGroup(element, line, today);
    else fillRow(element, line, now, grouped);
  }

  markSelected(element, line, selected) {
    const picked = line.group ? line.key === selected : line.seq === selected;
    setAttribute(element, "aria-selected", picked);
    return picked;
  }

  markSort({ column, descending }) {
    COLUMNS.forEach(({ id }, at) => {
      const order = descending ? "descending" : "ascending";
      setAttribute(this.heads[at], "aria-sort", id === column ? order : null);
    });
  }
}

/** A cell: a mark, where its column has such, and the text. */
function cellElement({ id, mark }, at) {
  const text = h("span", { class: "whl-text" });
  const marked = mark ? h("button", { class: "whl-mark", tabindex: "-1", hidden: true }) : null;
  const place = { role: "gridcell", "aria-colindex": at + 1 }; // not all columns are always there
  return h("div", { ...place, class: `whl-cell whl-c-${id}` }, marked, text);
}

function fillRow(element, row, now, grouped) {
  setAttribute(element, "aria-expanded", null);
  setAttribute(element, "aria-level", grouped ? 2 : null);
  setAttribute(element, "data-verified", row.verified);
  setAttribute(element, "data-failed", row.status >= 400 ? "true" : null);
  setAttribute(element, "data-unanswered", row.status === null ? "true" : null);
  setAttribute(element, "data-source", row.source);
  COLUMNS.forEach(({ text, title, mark }, at) => {
    const cell = element.children[at];
    setText(cell.lastChild, text(row, now) ?? "");
    setAttribute(cell, "title", title?.(row, now) || null);
    if (mark) fillMark(cell.firstChild, mark(row));
  });
}

function fillMark(button, first) {
  button.hidden = first === null;
  if (first === null) return;
  setText(button, `↻ #${first}`);
  button.dataset.seq = first;
  setAttribute(button, "title", `The same event as #${first}: show that delivery`);
}

function fillGroup(element, group, today) {
  setAttribute(element, "aria-expanded", group.open);
  setAttribute(element, "aria-level", 1);
  for (const name of ["verified", "failed", "unanswered", "source"]) {
    setAttribute(element, `data-${name}`, null);
  }
  const texts = {
    seq: group.open ? "▾" : "▸",
    received_at: timeText(group.last.received_at, today),
    path: group.label,
    event_type: [countText(group.count), typeText(group.last)].filter(Boolean).join(" · "),
    status: String(group.last.status ?? ""),
  };
  COLUMNS.forEach(({ id, mark }, at) => {
    const cell = element.children[at];
    setText(cell.lastChild, texts[id] ?? "");
    setAttribute(cell, "title", id === "path" ? group.label : null);
    if (mark) fillMark(cell.firstChild, null);
  });
}

// ==============================================================================================
// Which rows a view shows, and in which order
// ==============================================================================================

const REGROUP_MS = 250;
const ASK_FOUND_MS = 300;
const NEWEST_FIRST = { column: "seq", descending: true };

/** Rows (oldest first) in another order: by what their column shows, equal ones the newest first. */
export function sortRows(rows, { column, descending }) {
  const sign = descending ? -1 : 1;
  const rank = (value) => (value === null || value === undefined ? 1 : 0);
  return [...rows].sort((one, other) => {
    const [left, right] = [one[column], other[column]];
    if (rank(left) || rank(right)) return rank(left) - rank(right) || other.seq - one.seq;
    return left < right ? -sign : left > right ? sign : other.seq - one.seq;
  });
}

/** Rows in the order shown, as lines: each entity's heading, and its rows where it is open. */
export function groupLines(rows, open) {
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify([row.entity_type, row.entity_id]);
    if (!groups.has(key)) {
      const label = row.entity_id === null ? "No entity" : entityText(row);
      groups.set(key, { group: true, key, label, count: 0, last: row, rows: [], open: open.has(key) });
    }
    const group = groups.get(key);
    group.rows.push(row);
    group.count++;
    if (row.seq > group.last.seq) group.last = row;
  }
  return [...groups.values()].flatMap((group) => (group.open ? [group, ...group.rows] : [group]));
}

/** The rows that match a filter, kept up as rows come, and the lines that they make. */
class Listing {
  /** `changed` is called when it has changed by itself. */
  constructor(connection, changed) {
    Object.assign(this, { connection, changed, held: connection.held });
    this.sort = NEWEST_FIRST;
    this.grouped = false;
    this.open = new Set(); // keys of groups
    this.lines = [];
    this.count = 0;
    this.lineAt = () => null;
    this.setFilter("");
  }

  setFilter(text) {
    this.text = text;
    this.filter = compileFilter(text);
    this.forget();
    this.restart();
  }

  /** What the kernel said holds for one filter and one revision. */
  forget() {
    this.revision = this.held.revision;
    this.older = { rows: [], done: false, asked: null };
    this.answers = { id: this.connection.newId(), ranges: [], seqs: new Set() };
  }

  restart() {
    this.shown = [];
    this.unknown = [];
    this.seen = 0;
    this.epoch = this.held.epoch;
    this.reorder();
  }

  reorder() {
    this.stale = true;
    this.ordered = -Infinity;
  }

  // Which rows

  /** Take what has come; returns how many rows that match are new. */
  take() {
    if (this.revision !== this.held.revision) this.forget();
    if (this.epoch !== this.held.epoch) this.restart();
    const { rows } = this.held;
    const before = this.shown.length;
    const from = upperBound(rows, this.seen);
    for (let at = from; at < rows.length; at++) this.sift(rows[at]);
    this.seen = rows.at(-1)?.seq ?? this.seen;
    const came = this.shown.length - before;
    const gone = upperBound(this.shown, this.held.floor);
    if (gone > 0) this.shown.splice(0, gone);
    const old = upperBound(this.older.rows, this.held.gone);
    if (old > 0) this.older.rows.splice(0, old);
    if (came || gone || old) this.stale = true;
    if (this.unknown.length) this.foundTimer ??= setTimeout(() => this.askFound(), ASK_FOUND_MS);
    return before ? came : 0;
  }

  sift(row) {
    const verdict = this.verdictOf(row);
    if (verdict === null) this.unknown.push(row.seq);
    else if (verdict) this.shown.push(row);
  }

  /** Whether a row matches; null where only the kernel can tell, and has not told. */
  verdictOf(row) {
    const verdict = this.filter.test(row, this.held.details.get(row.seq));
    if (verdict !== null) return verdict;
    const { ranges, seqs } = this.answers;
    const told = ranges.some(([after, through]) => row.seq > after && row.seq <= through);
    return told ? seqs.has(row.seq) : null;
  }

  /** Rows that were sifted before have changed. */
  siftAgain(rows) {
    for (const row of rows.filter(({ seq }) => seq <= this.seen)) {
      const after = upperBound(this.shown, row.seq);
      const isShown = this.shown[after - 1]?.seq === row.seq;
      const verdict = this.verdictOf(row) === true;
      if (verdict && !isShown) this.shown.splice(after, 0, row);
      if (!verdict && isShown) this.shown.splice(after - 1, 1);
    }
    this.stale = true;
  }

  /** The kernel says which rows match where this page lacks what it takes to tell. */
  askFound() {
    this.foundTimer = null;
    if (!this.unknown.length) return;
    const [after, through] = [this.unknown[0] - 1, this.unknown.at(-1)];
    this.connection.ask({ kind: "search", id: this.answers.id, filter: this.text, after, through });
  }

  found(message, buffer) {
    if (message.id !== this.answers.id) return;
    this.answers.ranges = addRange(this.answers.ranges, message.after, message.through);
    for (const seq of JSON.parse(textOf(buffer))) this.answers.seqs.add(seq);
    this.restart();
  }

  askOlder() {
    const before = this.older.rows[0]?.seq ?? this.held.rows[0]?.seq;
    if (before === undefined || this.older.asked) return;
    this.older.asked = this.connection.newId();
    this.connection.ask({ kind: "older", id: this.older.asked, filter: this.text, before });
  }

  tookOlder(message, rows) {
    if (message.id !== this.older.asked || message.revision !== this.held.revision) return;
    this.older = { rows: mergeRows(rows, this.older.rows), done: message.done, asked: null };
    this.stale = true;
  }

  /** How many rows are older than those held, as far as that is known; 0: none, or all are here. */
  get olderCount() {
    const { state, floor, rows } = this.held;
    return state && floor > 0 && !this.older.done ? Math.max(0, state.total - rows.length) : 0;
  }

  /** How many came while this was not kept up. */
  get waiting() {
    return this.held.rows.length - upperBound(this.held.rows, this.seen);
  }

  find(seq) {
    return this.held.find(seq) ?? this.older.rows.find((row) => row.seq === seq);
  }

  // In which order. The plain order needs no lines: it is the rows from the end.

  get plain() {
    return this.sort.column === "seq" && this.sort.descending && !this.grouped;
  }

  /** Bring the lines up to date; other orders than the plain one not at every row that comes. */
  order() {
    if (!this.stale || this.isTooSoon()) return;
    this.stale = false;
    this.ordered = performance.now();
    const rows = this.older.rows.length ? mergeRows(this.older.rows, this.shown) : this.shown;
    const sorted = this.plain ? rows : sortRows(rows, this.sort);
    const lines = this.grouped ? groupLines(sorted, this.open) : sorted;
    this.lines = lines;
    this.count = lines.length;
    this.lineAt = this.plain ? (index) => lines[lines.length - 1 - index] : (index) => lines[index];
  }

  isTooSoon() {
    if (this.plain || performance.now() - this.ordered >= REGROUP_MS) return false;
    this.orderTimer ??= setTimeout(() => ((this.orderTimer = null), this.changed()), REGROUP_MS);
    return true;
  }

  sortBy(column) {
    const again = this.sort.column === column;
    const descending = again ? !this.sort.descending : TIME_FIRST.has(column);
    this.sort = { column, descending };
    this.reorder();
  }

  group(grouped) {
    this.grouped = grouped;
    this.reorder();
  }

  toggle(key) {
    if (!this.open.delete(key)) this.open.add(key);
    this.reorder();
  }

  /** Where a row or a group is among the lines; -1 where it is not. */
  indexOf({ key = null, seq = null }) {
    if (key !== null) return this.lines.findIndex((line) => line.key === key);
    if (seq === null) return -1;
    if (!this.plain) return this.lines.findIndex((line) => line.seq === seq);
    const after = upperBound(this.lines, seq);
    return this.lines[after - 1]?.seq === seq ? this.lines.length - after : -1;
  }

  leave() {
    clearTimeout(this.foundTimer);
    clearTimeout(this.orderTimer);
  }
}

// ==============================================================================================
// What stands around the table
// ==============================================================================================

const KERNEL_ENDED =
  "The kernel has ended or was restarted. This shows what had arrived by then: run the cell again to go on.";

/** Where webhooks go, whether anybody listens, how many came; and what a user has to know. */
class Bar {
  constructor(copy) {
    this.dot = h("span", { class: "whl-dot", "aria-hidden": "true" });
    this.status = h("span", { class: "whl-status", role: "status" });
    this.url = h("code", { class: "whl-url" });
    this.reach = h("span", { class: "whl-reach whl-dim" });
    this.counts = h("span", { class: "whl-counts" });
    this.copyUrl = button("Copy", "Copy the URL to send webhooks to", () =>
      copy(this.url.textContent, "the URL"),
    );
    this.notices = h("ul", { class: "whl-notices", "aria-label": "Notices" });
    this.pulls = new Pulls();
    const parts = [this.dot, this.status, this.url, this.copyUrl, this.reach, this.counts];
    this.el = h("div", {}, h("div", { class: "whl-bar" }, ...parts), this.notices, this.pulls.el);
  }

  draw(connection, paused) {
    const { alive, failure, ended } = connection;
    const { state } = connection.held;
    this.name = statusOf(state, alive, paused);
    setText(this.status, STATUSES[this.name] ?? this.name);
    const silent = "It does not answer: what is shown may be old";
    setAttribute(this.status, "title", this.name === "waiting" ? silent : state?.detail || null);
    setText(this.url, shownUrl(state));
    setText(this.reach, state?.reach ?? "");
    this.copyUrl.hidden = !state?.url;
    setText(this.counts, state ? countsText(state, alive) : "");
    this.pulls.draw(state, connection);
    this.drawNotices([...(state?.notices ?? []), failure, ended ? KERNEL_ENDED : null].filter(Boolean));
  }

  drawNotices(texts) {
    const key = JSON.stringify(texts);
    if (key === this.noticed) return;
    this.noticed = key;
    this.notices.replaceChildren(...texts.map((text) => h("li", { text })));
  }
}

/** What polls, fetches and forwards, a line each; nothing where nothing does. */
class Pulls {
  constructor() {
    this.el = h("ul", { class: "whl-pulls", "aria-label": "Pollers, fetchers and forwards", hidden: true });
  }

  draw(state, connection) {
    const pulls = state?.pulls ?? [];
    this.el.hidden = !pulls.length;
    const now = connection.alive ? connection.kernelNow : null;
    const lines = pulls.map((each) => pullParts(each, now));
    const key = JSON.stringify([lines, state?.more_pulls]);
    if (key === this.key) return;
    this.key = key;
    const more = state?.more_pulls ? h("li", { text: `and ${numberText(state.more_pulls)} more` }) : "";
    this.el.replaceChildren(...lines.map(pullLine), more);
  }
}

/** A poller, fetcher or forward in words; `now` is the kernel's clock in us, null where it does not answer. */
export function pullParts(pull, now) {
  const { kind, name, url, counts, failing, error } = pull;
  const next = now === null || pull.next_at === null ? "" : nextText((pull.next_at - now) / 1e6);
  const doing = [pull.doing, next].filter(Boolean).join(", ");
  const stopped = pull.doing === "stopped";
  const sign = failing ? "✗ failing" : stopped ? "○" : "●";
  const known = pull.doing.includes(error); // what it is doing says why, or there is nothing to say
  const said = known ? "" : failing ? error : `last error: ${error}`;
  return { sign, failing, kind, name, url, doing, counts, said };
}

function nextText(seconds) {
  if (seconds <= 0) return "polls now";
  if (seconds < 120) return `polls in ${Math.ceil(seconds)} s`;
  return `polls in ${seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`}`;
}

function pullLine({ sign, failing, kind, name, url, doing, counts, said }) {
  const rest = [url, doing, counts].filter(Boolean).map((text) => h("span", { class: "whl-wire", text }));
  const reason = said ? [h("span", { class: "whl-wire whl-why", text: said })] : [];
  const mark = h("span", { class: "whl-sign", text: sign });
  const of = h("span", { class: "whl-dim", text: `${kind} ` });
  const head = h("span", {}, of, h("strong", { class: "whl-wire", text: name }));
  return h("li", { "data-failing": failing ? "true" : null }, mark, head, ...rest, ...reason);
}

/** Whether a kernel is there that answers; a closed lab says nothing by itself, and still reads. */
export function isAlive({ state, limits }, ended, silence) {
  if (state?.status === "closed") return !ended;
  return silence < limits.heartbeatSeconds * 3_500;
}

export function statusOf(state, alive, paused) {
  if (state?.status === "closed") return "closed"; // whatever has become of its kernel
  if (!alive || !state?.status) return "waiting";
  return paused ? "paused" : state.status;
}

export function countsText(state, alive) {
  const comes = alive && state.status !== "closed" && state.rate > 0;
  const rate = comes ? rateText(state.rate) : null;
  return [countText(state.total), rate, state.file].filter(Boolean).join(" · ");
}

const HELP = [
  ["order.shipped", "a word: in method, path, query, provider, type, ids or body"],
  ['"a phrase"', "words next to each other"],
  ["type:order", "a field, from its start: also order.paid"],
  ["entity:ord_1*", "a field, * for any text; likewise id, status, method, provider, source"],
  ["path:/hooks", "a part of a field: path, query, header, body"],
  ["verified:invalid", "by signature: valid, invalid, unverifiable, unsigned, unchecked"],
  ["-path:/test", "all but these"],
  ["after:2026-03-01T12:30", "when it was received, in UTC; likewise before:"],
];

/** The filter, and what is done with the view as a whole. */
class Tools {
  /** `on` has filter(), key(event), follow(), pause(), group(), code() and export(). */
  constructor(prefix, on) {
    this.on = on;
    this.input = this.filterElement(prefix);
    this.invalid = h("div", { class: "whl-invalid", id: `${prefix}-invalid`, role: "alert" });
    this.help = h("div", { class: "whl-help", id: `${prefix}-help`, hidden: true }, ...this.helpParts());
    this.helpButton = button("?", "What a filter can say", () => this.toggleHelp(), {
      "aria-expanded": "false",
      "aria-controls": this.help.id,
      "aria-label": "Help with the filter",
    });
    this.follow = toggle("Follow", "Keep the newest delivery in sight", on.follow);
    this.pause = toggle("Pause", "Hold this view still; capturing goes on", on.pause);
    this.group = toggle("Group by entity", "One heading for each entity", on.group);
    const code = button("Copy as code", "Copy the Python that gives this view's rows", on.code);
    this.export = button(EXPORT, "Download these deliveries, as lab.export writes them", on.export);
    const parts = [this.input, this.helpButton, this.follow, this.pause, this.group, code, this.export];
    this.el = h("div", {}, h("div", { class: "whl-bar" }, ...parts), this.invalid, this.help);
  }

  filterElement(prefix) {
    return h("input", {
      ...{ class: "whl-input whl-filter", type: "search", spellcheck: "false", autocomplete: "off" },
      ...{ "aria-label": "Filter", "aria-describedby": `${prefix}-invalid` },
      placeholder: 'Filter: order.shipped  type:order  -path:/test  "a phrase"  after:2026-03-01',
      onkeydown: this.on.key,
      oninput: this.on.filter,
    });
  }

  helpParts() {
    return HELP.flatMap(([example, meaning]) => [
      h("button", { class: "whl-term", text: example, onclick: () => this.setText(example) }),
      h("span", { text: meaning }),
    ]);
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    setAttribute(this.helpButton, "aria-expanded", !this.help.hidden);
  }

  get text() {
    return this.input.value;
  }

  setText(text) {
    this.input.value = text;
    this.on.filter();
    this.input.focus();
  }

  draw(view) {
    const { error } = view.listing.filter;
    setText(this.invalid, error ?? "");
    setAttribute(this.input, "aria-invalid", error ? "true" : null);
    setAttribute(this.follow, "aria-pressed", view.follow);
    setAttribute(this.pause, "aria-pressed", view.paused);
    setAttribute(this.group, "aria-pressed", view.listing.grouped);
    const waits = view.exporting !== null;
    setText(this.export, waits ? view.connection.waitText("export", "Exporting…") : EXPORT);
    this.export.disabled = waits;
  }
}

const EXPORT = "Export CSV";

/** A filter with one more condition; the same where it is in it already. */
export function withTerm(filter, field, value) {
  const plain = /^[^\s"\\]+$/.test(value) && !/[\x1c-\x1f\x85]/.test(value);
  const term = `${field}:${plain ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
  const said = filter.trim();
  return said.split(/\s+/).includes(term) ? said : `${said} ${term}`.trim();
}

/** In place of rows: that there are none, and what to do. */
class Empty {
  constructor(copy, clearFilter) {
    Object.assign(this, { copy, clearFilter });
    this.el = h("div", { class: "whl-empty" });
  }

  draw(view) {
    const kind = emptyKind(view);
    const url = shownUrl(view.held.state);
    const key = `${kind} ${url}`;
    if (key === this.key) return;
    this.key = key;
    this.el.hidden = kind === "";
    this.el.replaceChildren(...this.parts(kind, url));
  }

  parts(kind, url) {
    if (kind === "waiting") return [h("p", { text: "Waiting for the kernel…" })];
    if (kind === "unmatched") {
      const clear = button("Clear the filter", null, this.clearFilter);
      return [h("p", { text: "No delivery here matches the filter." }), clear];
    }
    if (kind === "closed") return [h("p", { text: "Nothing had arrived when the lab was closed." })];
    return kind === "nothing" ? this.invitation(url) : [];
  }

  invitation(url) {
    const example = `curl --json '{"hello": "world"}' ${shellQuoted(url)}`;
    const copy = button("Copy", "Copy the command", () => this.copy(example, "the command"));
    return [
      h("p", { text: "Nothing has arrived yet. Paste the URL above into your provider, or try:" }),
      h("p", {}, h("code", { text: example }), " ", copy),
    ];
  }
}

function emptyKind({ listing, held }) {
  if (listing.count) return "";
  if (!listing.filter.empty) return "unmatched";
  if (!held.state?.status) return "waiting";
  return held.state.status === "closed" ? "closed" : "nothing";
}

/** Below the table: how much of what there is this shows. */
class Foot {
  constructor(askOlder) {
    this.text = h("span", { class: "whl-dim" });
    this.older = button("Show older", "Ask the kernel for older deliveries", askOlder);
    this.el = h("div", { class: "whl-foot" }, this.text, this.older);
  }

  draw(view) {
    const { listing, connection } = view;
    setText(this.text, footParts(view).join(" · "));
    this.older.hidden = !listing.olderCount;
    this.older.disabled = listing.older.asked !== null;
    const asks = connection.waitText("older", "Asking the kernel…");
    setText(this.older, listing.older.asked === null ? "Show older" : asks);
  }
}

const KEYS = "↑ ↓ to move, Enter for the details, Escape to leave them";

function footParts(view) {
  const { listing } = view;
  const parts = whatIsShown(view);
  return parts.length || !listing.count ? parts : [KEYS];
}

function whatIsShown(view) {
  const { listing, held } = view;
  const here = held.rows.length + listing.older.rows.length;
  const matches = listing.shown.length + listing.older.rows.length;
  const older = listing.olderCount;
  const missed = view.follow ? 0 : Math.min(view.missed, listing.shown.length); // the rest is no longer here
  return [
    listing.filter.empty ? null : `${numberText(matches)} of ${numberText(held.rows.length)} match`,
    older && listing.filter.empty ? `${numberText(here)} newest are here` : null,
    older ? `${numberText(older)} older ones in the kernel` : null,
    missed ? `${numberText(missed)} new above` : null,
    view.paused ? countText(listing.waiting, "new delivery waits", "new deliveries wait") : null,
    listing.unknown.length ? unknownText(view) : null,
  ].filter(Boolean);
}

function unknownText({ listing, connection }) {
  const count = numberText(listing.unknown.length);
  return connection.waitText("search", `the kernel is asked about ${count} more`);
}

// ==============================================================================================
// One view of an inbox: its filter, selection, scroll position and pause are its own
// ==============================================================================================

let views = 0;

class View {
  constructor(connection, el) {
    Object.assign(this, { connection, held: connection.held, prefix: `whl-${++views}` });
    this.listing = new Listing(connection, () => this.dirty());
    this.paused = false;
    this.follow = true;
    this.missed = 0; // rows that came since following ended
    this.selected = null;
    this.cursor = null; // the key of the group that the keyboard is at
    this.kept = null; // the selected row and its detail, which stay while it is selected
    this.wanted = null; // the row that the kernel was asked for
    this.exporting = null;
    this.lastUrl = ""; // where something was sent to by hand
    this.unfolded = new Map(); // answers of targets, by attempt: whether they are open
    this.build();
    el.append(this.el);
    this.released = connection.join(this);
  }

  leave() {
    this.released();
    this.grid.watch.disconnect();
    this.listing.leave();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.toastTimer);
  }

  build() {
    const copy = (text, what) => this.copy(text, what);
    this.bar = new Bar(copy);
    this.tools = new Tools(this.prefix, this.toolActions());
    this.grid = new Grid(this.prefix, this.gridActions());
    this.empty = new Empty(copy, () => this.tools.setText(""));
    this.foot = new Foot(() => (this.listing.askOlder(), this.dirty()));
    this.detail = new Detail(this, this.prefix);
    this.said = h("div", { class: "whl-hidden", role: "status", "aria-live": "polite" });
    this.toast = h("div", { class: "whl-toast", "aria-hidden": "true" });
    this.el = h(
      "div",
      { class: "whl", role: "region", "aria-label": "webhooklab inbox" },
      ...[this.bar.el, this.tools.el, h("div", { class: "whl-table" }, this.grid.el, this.empty.el)],
      ...[this.foot.el, this.detail.el, this.said, this.toast],
    );
    this.el.addEventListener("focusin", keepKeys);
    this.el.addEventListener("keydown", passOnSaving, true);
  }

  toolActions() {
    return {
      filter: () => this.refilter(),
      key: (event) => this.filterKey(event),
      follow: () => this.setFollow(!this.follow),
      pause: () => this.setPaused(!this.paused),
      group: () => this.setGrouped(!this.listing.grouped),
      code: () => this.copy(viewCode(this.tools.text), viewCode(this.tools.text)),
      export: () => this.exportCsv(),
    };
  }

  gridActions() {
    return {
      pick: (seq) => this.pick(seq),
      toggle: (key) => this.toggleGroup(key),
      sort: (column) => (this.listing.sortBy(column), this.dirty()),
      scroll: () => this.scrolled(),
      key: (event) => this.gridKey(event),
    };
  }

  // What is drawn, a frame after something has changed

  dirty() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const anchor = this.follow ? null : this.anchor();
    if (!this.paused) this.missed += this.listing.take();
    this.listing.order();
    this.grid.setCount(this.listing.count);
    if (this.follow) this.grid.scrollTo(0);
    else if (anchor) this.restoreAnchor(anchor);
    this.drawGrid();
    this.empty.draw(this);
    this.bar.draw(this.connection, this.paused);
    setAttribute(this.el, "data-status", this.bar.name);
    setAttribute(this.el, "data-tells", [...this.held.tells].join(" "));
    this.tools.draw(this);
    this.foot.draw(this);
    this.drawDetail();
  }

  drawGrid() {
    const { count, lineAt, sort, grouped } = this.listing;
    const today = Math.floor(Date.now() / 86_400_000) * 86_400_000_000;
    const now = { today, since: this.since };
    const selected = this.cursor ?? this.selected;
    this.grid.draw({ count, lineAt, selected, now, sort, grouped });
  }

  drawDetail() {
    const row = this.selected === null ? null : this.rowOf(this.selected);
    const detail = row && this.detailOf(row);
    this.detail.draw(this.selected, row, detail, detail ? "" : this.waitText(row));
  }

  waitText(row) {
    if (row) return this.held.absent.get(row.seq) ?? this.connection.bodyText(row.seq);
    const seq = this.selected;
    if (this.wanted?.seq === seq) return this.connection.waitText("older", "Asking the kernel for it…");
    return `Delivery ${seq} is not held here; if it was not deleted, lab[${seq}] has it.`;
  }

  /** When what listens began to, in us; null where nothing does. */
  get since() {
    return this.held.state?.since ?? null;
  }

  /** The line at the top and how far it is scrolled, to be found again among other lines. */
  anchor() {
    const index = Math.floor(this.grid.top / LINE_PX);
    const line = index < this.listing.count ? this.listing.lineAt(index) : null;
    return line && { line, offset: this.grid.top - index * LINE_PX };
  }

  restoreAnchor({ line, offset }) {
    const index = this.listing.indexOf(line);
    if (index >= 0) this.grid.scrollTo(index * LINE_PX + offset);
  }

  say(text) {
    setText(this.said, text);
    setText(this.toast, text);
    this.toast.classList.add("whl-shown");
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => this.toast.classList.remove("whl-shown"), 2_000);
  }

  // The selected delivery

  select(seq) {
    this.selected = seq;
    this.wanted = null;
    if (seq !== null) {
      this.setFollow(false);
      this.askFor(seq);
    } else if (this.grid.top === 0) this.setFollow(true);
    this.dirty();
  }

  askFor(seq) {
    const row = this.rowOf(seq);
    if (!row) this.askRow(seq);
    else if (!this.held.details.has(seq)) this.connection.askBody(seq);
  }

  /** A row that is not held: it is the newest of those up to it that have this number. */
  askRow(seq) {
    this.wanted = { seq, id: this.connection.newId() };
    const filter = `seq:${seq}`;
    this.connection.ask({ kind: "older", id: this.wanted.id, filter, before: seq + 1 });
  }

  tookWanted(message, [row]) {
    if (message.id !== this.wanted?.id) return;
    const { seq } = this.wanted;
    this.wanted = null;
    if (row?.seq !== seq || message.revision !== this.held.revision) return;
    this.kept = { row, revision: this.held.revision, detail: null };
    this.connection.askBody(seq);
  }

  /** A row was clicked on: it is selected, or what the selected one is compared with. */
  pick(seq) {
    const { form } = this.detail;
    if (form?.take && seq !== this.selected) form.take(seq);
    else this.show(seq);
  }

  /** Select a row and bring it into sight, where it is among those shown. */
  show(seq) {
    this.cursor = null;
    this.select(seq);
    const index = this.listing.indexOf({ seq });
    if (index >= 0) this.grid.reveal(index);
  }

  closeDetail() {
    this.select(null);
    this.grid.el.focus();
  }

  closeForm() {
    this.detail.closeForm();
    this.detail.focus();
  }

  rowOf(seq) {
    const kept = this.kept?.row.seq === seq && this.kept.revision === this.held.revision;
    return this.listing.find(seq) ?? (kept ? this.kept.row : null);
  }

  detailOf(row) {
    if (row !== this.kept?.row) this.kept = { row, revision: this.held.revision, detail: null };
    this.kept.detail = this.held.details.get(row.seq) ?? this.kept.detail;
    return this.kept.detail;
  }

  // What a user does

  async copy(text, what) {
    await copyText(text);
    this.say(`Copied ${what}`);
  }

  refilter() {
    this.listing.setFilter(this.tools.text);
    this.missed = 0; // they were of another list
    this.dirty();
  }

  filterBy(field, value) {
    this.tools.setText(withTerm(this.tools.text, field, value));
  }

  setFollow(follow) {
    this.follow = follow;
    this.missed = 0;
    this.dirty();
  }

  setPaused(paused) {
    this.paused = paused;
    this.say(paused ? "Paused; capturing goes on" : "Live again");
    this.dirty();
  }

  setGrouped(grouped) {
    this.cursor = null;
    this.listing.group(grouped);
    this.dirty();
  }

  toggleGroup(key) {
    this.cursor = key;
    this.listing.toggle(key);
    this.setFollow(false);
  }

  scrolled() {
    const still = this.selected === null && !this.listing.grouped;
    if (this.follow && this.grid.top > LINE_PX / 2) this.setFollow(false);
    else if (!this.follow && this.grid.top === 0 && still) this.setFollow(true);
    this.dirty();
  }

  exportCsv() {
    if (this.exporting || this.listing.filter.error) return;
    if (!this.connection.alive) {
      this.say("The kernel does not answer: there is nothing to export from");
      return;
    }
    this.exporting = this.connection.newId();
    this.connection.ask({ kind: "export", id: this.exporting, filter: this.listing.text });
    this.dirty();
  }

  // What the kernel answers

  answered(message, buffer) {
    if (message.kind === "found") this.listing.found(message, buffer);
    if (message.kind === "exported") this.exported(message.id, buffer);
    if (FOR_THE_FORM.has(message.kind)) this.detail.form?.hear(message, buffer);
    if (message.kind === "older") {
      const rows = rowsOf(JSON.parse(textOf(buffer.subarray(0, message.columns))));
      this.listing.tookOlder(message, rows);
      this.tookWanted(message, rows);
    }
    this.dirty();
  }

  exported(id, bytes) {
    if (id !== this.exporting) return;
    this.exporting = null;
    download(`${(this.held.state?.file ?? "captures").replace(/\.\w+$/, "")}.csv`, bytes);
    this.say("Downloaded");
  }

  /** No answer will come: to one question, or (null) to none of them. */
  failed(id) {
    this.detail.form?.fail(id);
    if (id === null || id === this.exporting) this.exporting = null;
    if (id === null || id === this.wanted?.id) this.wanted = null;
    if (id === null || id === this.listing.older.asked) this.listing.older.asked = null;
    this.dirty();
  }

  // Keys

  filterKey(event) {
    if (event.key === "ArrowDown") {
      this.grid.el.focus();
      if (this.selected === null) this.step(0);
    } else if (event.key === "Escape" && this.tools.text) this.tools.setText("");
    else return;
    consume(event);
  }

  gridKey(event) {
    if (event.target !== this.grid.el || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.listing.indexOf({ key: this.cursor, seq: this.selected });
    const to = this.stepsOf(at)[event.key];
    if (to !== undefined) this.step(to);
    else if (!this.lineKey(event.key, at >= 0 ? this.listing.lineAt(at) : null)) return;
    consume(event);
  }

  stepsOf(at) {
    const { page } = this.grid;
    const end = { Home: 0, End: this.listing.count - 1 };
    return { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, ...end };
  }

  /** A key that is for the line at the cursor; false where it is not. */
  lineKey(key, line) {
    const opens = { ArrowRight: true, ArrowLeft: false }[key];
    if (key === "Escape") this.select(null);
    else if (key === "Enter" || key === " ") this.open(line, key === "Enter");
    else if (opens !== undefined && line?.group) opens !== line.open && this.toggleGroup(line.key);
    else return false;
    return true;
  }

  open(line, focus) {
    if (line?.group) this.toggleGroup(line.key);
    else if (focus) requestAnimationFrame(() => this.detail.focus());
  }

  step(to) {
    const { count, lineAt } = this.listing;
    if (!count) return;
    const index = Math.max(0, Math.min(to, count - 1));
    const line = lineAt(index);
    this.cursor = line.group ? line.key : null;
    this.select(line.group ? null : line.seq);
    this.setFollow(false);
    this.grid.reveal(index);
  }
}

// ==============================================================================================
// The connection to the kernel: what was heard, what is missing, what was asked
// ==============================================================================================

const TICK_MS = 1_000;
const HERE_TICKS = 15;
const SLOW_ANSWER_MS = 800;
const ANSWER_TO = {
  ...{ found: "search", exported: "export", older: "older", truth: "truth", tries: "tries", resent: "resend", paired: "pair" },
  ...{ forwarded: "forward", details: "body", absent: "body" },
};
const FOR_THE_FORM = new Set(["resent", "forwarded", "paired"]);

class Connection {
  constructor(model) {
    Object.assign(this, { model, held: new Held(), views: new Set(), asked: new Map(), failure: null });
    this.id = this.newId(); // tells our questions from those of other pages
    this.heard = -Infinity;
    this.ticks = 0;
    this.lastGaps = "";
    this.clock = { kernel: 0, here: 0 };
    this.alive = this.ended = false;
    this.receive = (message, buffers) => this.hear(message, buffers);
    // The notebook says so when the kernel that this belongs to has ended.
    this.cut = () => this.hearEnd();
    model.on("msg:custom", this.receive);
    model.on("comm_live_update", this.cut);
    this.greet();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  end() {
    clearInterval(this.timer);
    this.model.off("msg:custom", this.receive);
    this.model.off("comm_live_update", this.cut);
  }

  join(view) {
    this.views.add(view);
    this.send({ kind: "here" });
    view.dirty();
    return () => this.views.delete(view);
  }

  changed() {
    for (const view of this.views) view.dirty();
  }

  // Asking

  newId() {
    return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  }

  send(message) {
    try {
      this.model.send(message);
    } catch {
      this.alive = false; // the kernel is gone; the status says so
    }
  }

  ask(question) {
    this.failure = null;
    this.asked.set(question.kind, performance.now());
    this.send({ ...question, from: this.id });
    setTimeout(() => this.changed(), SLOW_ANSWER_MS + 50);
  }

  askBody(seq) {
    this.held.absent.delete(seq);
    this.ask({ kind: "body", seq });
  }

  /** The kernel's clock, in us. */
  get kernelNow() {
    const { kernel, here } = this.clock;
    return kernel + (performance.now() - here) * 1e3;
  }

  /** What has come of a delivery since, as `Lookups` holds it. `whole`: however large it is. */
  lookUp(kind, seq, whole = false) {
    const { lookups, state } = this.held;
    const fetchers = (state?.pulls ?? []).filter((each) => each.kind === "Fetcher").map(({ name }) => name);
    const question = lookups[kind].question(seq, whole, JSON.stringify(fetchers), performance.now());
    if (question) this.ask(question);
    return lookups[kind].get(seq);
  }

  lookUpText(kind) {
    const what = kind === "truth" ? "what was fetched" : "what was tried";
    return this.waitText(kind, `Asking the kernel ${what}…`);
  }

  /** What to say while an answer is awaited: `soon`, or why it takes so long. */
  waitText(kind, soon) {
    if (!this.alive) return "Waiting for the kernel: it does not answer";
    const slow = performance.now() - (this.asked.get(kind) ?? Infinity) > SLOW_ANSWER_MS;
    return slow ? "Waiting for the kernel: a cell is running" : soon;
  }

  bodyText(seq) {
    return this.waitText("body", `Asking the kernel for the body of ${seq}…`);
  }

  // Hearing

  hear(message, buffers) {
    this.heard = performance.now();
    this.ended = false;
    this.alive = true;
    const buffer = buffers?.length ? bytesOf(buffers[0]) : new Uint8Array();
    if (message.limits) this.held.limits = message.limits;
    if (message.now) this.clock = { kernel: message.now, here: this.heard };
    this.hearCounts(message);
    if (message.kind === "rows") this.hearRows(message, buffer);
    else if (message.kind === "failed") this.hearFailure(message);
    else if (message.kind === "fetched") this.held.lookups.truth.hear(message);
    else if (message.kind === "attempted") this.held.lookups.tries.hear(message);
    else if (message.kind !== "state") this.hearAnswer(message, buffer);
    this.changed();
  }

  hearCounts(message) {
    const { held } = this;
    if (message.total === undefined || !held.isCurrent(message.revision)) return;
    held.state = { ...held.state, ...message };
    held.lookups.truth.expect(message.fetched);
    held.lookups.tries.expect(message.attempted);
    if (message.gone) held.evictRows();
  }

  hearRows(message, buffer) {
    const changed = this.held.take(message, buffer);
    if (changed.length) for (const view of this.views) view.listing.siftAgain(changed);
  }

  hearAnswer(message, buffer) {
    this.asked.delete(ANSWER_TO[message.kind]);
    if (message.kind === "details") this.held.takeDetails(message, buffer);
    if (message.kind === "absent") this.held.absent.set(message.seq, absentText(message));
    this.held.lookups[message.kind]?.take(message, buffer);
    for (const view of this.views) view.answered(message, buffer);
  }

  hearFailure({ of, error }) {
    if (of.from !== this.id) return;
    this.failure = error;
    this.asked.delete(of.kind);
    this.held.lookups[of.kind]?.fail(of.seq, error);
    if (of.kind === "body") this.held.absent.set(of.seq, `The body could not be read: ${error}`);
    for (const view of this.views) view.failed(of.id ?? null);
  }

  hearEnd() {
    this.heard = -Infinity;
    this.alive = false;
    this.ended = true;
    for (const view of this.views) view.failed(null);
  }

  greet() {
    this.send({ kind: "hello", server: serverAddress(document, location.href) });
  }

  /** Once a second: is the kernel there, is anything missing, is anybody looking? */
  tick() {
    const silence = performance.now() - this.heard;
    this.alive = isAlive(this.held, this.ended, silence);
    if (this.heard === -Infinity && !this.ended && this.ticks % 3 === 2) this.greet();
    if (this.ticks++ % HERE_TICKS === 0 && this.views.size) this.send({ kind: "here" });
    this.askForGaps();
    this.changed();
  }

  /** Only what is still missing after a second: the rest may be on its way. */
  askForGaps() {
    const gaps = this.held.gaps();
    const text = JSON.stringify([gaps, this.held.revision]);
    if (gaps.length && text === this.lastGaps) this.send({ kind: "need", ranges: gaps });
    this.lastGaps = text;
  }
}

function absentText({ seq, gone }) {
  if (gone) return "This delivery is no longer there.";
  return `The body is too large to be sent here: lab[${seq}].body has it.`;
}

function bytesOf(view) {
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
}

// ==============================================================================================
// The widget. `initialize` and `render` get different objects for one model: its instance ties them
// ==============================================================================================

const connections = new Map();

function initialize({ model }) {
  const instance = model.get("instance");
  const connection = new Connection(model);
  connections.set(instance, connection);
  return () => {
    connection.end();
    if (connections.get(instance) === connection) connections.delete(instance);
  };
}

function showView({ model, el }) {
  if (!connections.has(model.get("instance"))) initialize({ model });
  const view = new View(connections.get(model.get("instance")), el);
  return () => view.leave();
}

export default { initialize, render: showView };
