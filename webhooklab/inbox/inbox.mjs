// The live inbox in the browser. The kernel pushes rows; everything else happens here, so that it
// works while a cell runs. What this page does not hold (large bodies, old rows) is asked for.
//
// All that came from the wire is text: it goes into the page as textContent and in no other way.
// One file, because a notebook loads it from a Blob URL, where imports cannot resolve. What is
// exported beside the default is what `node --test` looks at.

// ==============================================================================================
// The filter language of lab.find
// ==============================================================================================

// Instants: what webhooklab/instants.py reads, in microseconds since the epoch

const LATEST_SECOND = 100_000_000_000;
const [EARLIEST_US, LATEST_US] = [-62_135_596_800_000_000, 253_402_300_799_999_999]; // years 1 to 9999
const ISO =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[^](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d+)?)?)?)?)?$/i;

export function parseInstant(value) {
  const instant = readInstant(value.trim());
  return instant !== null && instant >= EARLIEST_US && instant <= LATEST_US ? instant : null;
}

function readInstant(text) {
  if (/^-?(\d+\.?\d*|\.\d+)$/.test(text)) return unixInstant(Number(text));
  const found = ISO.exec(text);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 0;
  if (!real || hour > 23 || minute > 59 || second > 59) return null;
  const micros = Number((found[7] ?? "").slice(0, 6).padEnd(6, "0"));
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offsetSeconds(found[8]);
  return seconds * 1e6 + micros;
}

function unixInstant(number) {
  for (const perSecond of [1, 1e3, 1e6, 1e9]) {
    if (Math.abs(number) < LATEST_SECOND * perSecond) {
      return Math.floor(number * (1e6 / perSecond));
    }
  }
  return null;
}

function offsetSeconds(offset) {
  if (!offset || /z/i.test(offset)) return 0;
  const [hours, minutes = 0, seconds = 0] = offset.slice(1).match(/\d\d/g).map(Number);
  return (offset[0] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

// ---------------------------------------------------------------------------------------------
// The filter language: what webhooklab/search.py says (tests/filter_cases.json holds both to it)

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
  if (field === "after")
    return (
      (from) => (row) =>
        row.received_at >= from
    )(parseInstant(value));
  if (field === "before")
    return (
      (to) => (row) =>
        row.received_at < to
    )(parseInstant(value));
  if (CONTAINS.has(field)) return containing(field, value);
  if (field === "entity") {
    const either = [whole("entity_id", value), whole("entity_type", value)];
    return (row) => any(either, row);
  }
  return whole(field, value);
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
  const lower = (byte) => (byte > 64 && byte < 91 ? byte + 32 : byte);
  const [first] = needle;
  const last = bytes.length - needle.length;
  for (let start = 0; start <= last; start++) {
    if (lower(bytes[start]) !== first) continue;
    let length = 1;
    while (length < needle.length && lower(bytes[start + length]) === needle[length]) length++;
    if (length === needle.length) return true;
  }
  return false;
}

// ==============================================================================================
// Bodies: text, JSON, forms, hex
// ==============================================================================================

// Bodies: what webhooklab/bodies.py reads, for the eye

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function textOf(bytes) {
  return utf8.decode(bytes);
}

function mediaType(contentType) {
  return (contentType ?? "").split(";")[0].trim().toLowerCase();
}

function parameterOf(header, name) {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(
    header ?? "",
  );
  return found ? (found[1]?.replace(/\\(.)/g, "$1") ?? found[2]) : null;
}

export function kindOf(contentType, body) {
  const media = mediaType(contentType);
  if (media.endsWith("json")) return "json";
  if (media === "application/x-www-form-urlencoded") return "form";
  if (media === "multipart/form-data") return "multipart";
  const first = body.find((byte) => ![9, 10, 11, 12, 13, 32].includes(byte));
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
 * {kind, text} with text for the eye. Throws a SyntaxError for what is not JSON.
 */
export function parseJson(text) {
  let at = 0;
  const fail = (what) => {
    throw new SyntaxError(`${what} at character ${at + 1}`);
  };
  const token = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found?.[0] ?? null;
  };
  const space = () => token(/[ \t\n\r]*/y);
  const string = () => {
    let end = at;
    do {
      end = text.indexOf('"', end + 1);
      if (end < 0) fail("A text without its end");
    } while (isEscaped(text, end));
    const value = JSON.parse(text.slice(at, end + 1));
    at = end + 1;
    return value;
  };
  const entriesUntil = (close, entry) => {
    const entries = [];
    at++;
    for (space(); text[at] !== close; space()) {
      if (entries.length && text[at++] !== ",") fail("Neither a comma nor an end");
      space();
      entries.push(entry(entries.length));
    }
    at++;
    return entries;
  };
  const member = (depth) => {
    if (text[at] !== '"') fail("No key");
    const key = string();
    space();
    if (text[at++] !== ":") fail("A key without a value");
    return [key, value(depth)];
  };
  const value = (depth) => {
    if (depth > MAX_JSON_DEPTH) fail("Nested too deep to be shown");
    space();
    const start = text[at];
    if (start === "{") return { kind: "object", entries: entriesUntil("}", () => member(depth + 1)) };
    if (start === "[") return { kind: "array", entries: entriesUntil("]", (n) => [n, value(depth + 1)]) };
    if (start === '"') return { kind: "string", text: string() };
    const number = token(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number !== null) return { kind: "number", text: number };
    const word = token(/true|false|null/y);
    return word !== null ? { kind: word === "null" ? "null" : "boolean", text: word } : fail("No value");
  };
  const tree = value(0);
  space();
  return at === text.length ? tree : fail("More than one value");
}

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

/** A urlencoded text as [[name, value]]. */
export function parseUrlencoded(text) {
  return text
    .split("&")
    .filter(Boolean)
    .map((part) => {
      const [name, ...value] = part.split("=");
      return [percentDecoded(name), percentDecoded(value.join("="))];
    });
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

/** The parts of a multipart body: [{name, filename, type, bytes}]; throws an Error when broken. */
export function parseMultipart(body, contentType) {
  const boundary = parameterOf(contentType, "boundary");
  if (!boundary) throw new Error("its Content-Type names no boundary");
  const mark = new TextEncoder().encode(`--${boundary}`);
  const parts = [];
  let start = indexOfBytes(body, mark, 0);
  while (start >= 0 && !(body[start + mark.length] === 45 && body[start + mark.length + 1] === 45)) {
    const next = indexOfBytes(body, mark, start + mark.length);
    if (next < 0) throw new Error("its last part has no end");
    parts.push(parsePart(body.subarray(start + mark.length, next)));
    start = next;
  }
  if (start < 0) throw new Error("its boundary is not in it");
  return parts;
}

function parsePart(bytes) {
  const blank = indexOfBytes(bytes, new Uint8Array([13, 10, 13, 10]), 0);
  if (blank < 0) throw new Error("a part has no headers");
  const lines = textOf(bytes.subarray(0, blank)).split("\r\n");
  const header = (name) =>
    lines.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
  const disposition = header("content-disposition");
  return {
    name: parameterOf(disposition, "name") ?? "",
    filename: parameterOf(disposition, "filename"),
    type: header("content-type")?.trim() ?? null,
    bytes: bytes.subarray(blank + 4, bytes.length - 2),
  };
}

function indexOfBytes(bytes, needle, from) {
  for (let at = bytes.indexOf(needle[0], from); at >= 0; at = bytes.indexOf(needle[0], at + 1)) {
    if (needle.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}

// ==============================================================================================
// A request as curl and Python
// ==============================================================================================

// Code: what webhooklab/code.py writes (tests/code_cases.json holds both to it)

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
  const url = bytesQuoted(request.url);
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

/** Text from the wire stands for bytes: beyond ASCII they are written as such. */
function bytesQuoted(line) {
  if (/^[ -~]*$/.test(line)) return shellQuoted(line);
  const escaped = Array.from(line, (char) =>
    /[ -&(-[\]-~]/.test(char) ? char : `\\x${char.codePointAt(0).toString(16).padStart(2, "0")}`,
  );
  return `$'${escaped.join("")}'`;
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
export function serverAddress(page, href) {
  try {
    const config = JSON.parse(page.getElementById("jupyter-config-data").textContent);
    return new URL(config.baseUrl, href).href;
  } catch {
    return null;
  }
}

/** The Python that gives the rows of a view. */
export function viewCode(filter) {
  return filter.trim() ? `lab.find(${textRepr(filter.trim())})` : "lab.find()";
}

// ==============================================================================================
// The rows that this page holds
// ==============================================================================================

// Ranges of seqs that have been received: [[after, through], ...], sorted, apart from each other

export function addRange(ranges, after, through) {
  const kept = [];
  for (const [low, high] of ranges) {
    if (high < after || low > through) kept.push([low, high]);
    else [after, through] = [Math.min(low, after), Math.max(high, through)];
  }
  return [...kept, [after, through]].sort((one, other) => one[0] - other[0]);
}

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

// ---------------------------------------------------------------------------------------------
// What this page holds of one inbox: rows by seq, bodies and headers within a limit

const BEFORE_STATE = { heldRows: 20_000, heldBytes: 64 * 2 ** 20, heartbeatSeconds: 2 };

/** Columns to rows: an object each, all of one shape. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  return columns.seq.map((_, at) => {
    const row = {};
    for (const name of names) row[name] = columns[name][at];
    return row;
  });
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
    this.epoch = (this.epoch ?? 0) + 1; // rows other than at the end have changed
  }

  /** Take a message's rows; false when they are of an earlier revision than what is held. */
  take(message, buffer) {
    if (!this.isCurrent(message.revision)) return false;
    const fresh = rowsOf(JSON.parse(textOf(buffer.subarray(0, message.columns))));
    this.ranges = addRange(this.ranges, message.after, message.through);
    this.takeDetails(message, buffer);
    const newest = this.rows.at(-1)?.seq ?? 0;
    if (fresh.length && fresh[0].seq > newest) {
      for (const row of fresh) this.rows.push(row);
    } else if (fresh.length) {
      this.rows = mergeRows(this.rows, fresh);
      this.epoch++;
    }
    this.evictRows();
    return true;
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

// ==============================================================================================
// Small parts of the page
// ==============================================================================================

// Words and numbers for the eye

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

const countText = (count, one = "delivery", many = "deliveries") =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const rateText = (rate) => `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en")}/s`;

const VERDICTS = {
  valid: "✓ valid",
  invalid: "✗ invalid",
  unverifiable: "? unverifiable",
  unsigned: "– unsigned",
  unchecked: "",
};

const STATUSES = {
  waiting: "Waiting for the kernel",
  closed: "Closed",
  paused: "Paused",
  listening: "Listening",
  attached: "Attached",
};

// ---------------------------------------------------------------------------------------------
// The page: elements, and what is copied and downloaded

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

/** Change text or an attribute only where it differs: what does not change costs no layout. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
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
// The detail's tabs
// ==============================================================================================

// Tabs of the detail view. Each is one function: from {row, detail, view} to an element. A new tab
// is one function and one entry in TABS; `columns: true` says that it needs no body or headers.

const SHOWN_CHARS = 100_000;
const SHOWN_HEX_BYTES = 16_384;
const SHOWN_NODES = 500;
const SMALL_TREE = 40; // lines: so many are shown open
const CODE_BYTES = 200_000;

const TABS = [
  { id: "payload", label: "Payload", show: payloadTab },
  { id: "headers", label: "Headers", show: headersTab },
  { id: "raw", label: "Raw", show: rawTab },
  { id: "form", label: "Query and form", show: formTab },
  { id: "code", label: "Code", show: codeTab },
];

function note(text) {
  return h("p", { class: "whl-note", text });
}

function payloadTab({ row, detail, view }) {
  if (detail.body.length === 0) return note("The body is empty.");
  const kind = kindOf(row.content_type, detail.body);
  if (kind === "form" || kind === "multipart") return note("A form: see the tab “Query and form”.");
  if (kind === "other") return note("The body is not JSON: see the tab “Raw”.");
  const text = bodyText(detail.body, row.content_type);
  try {
    if (text === null) throw new SyntaxError("Not text");
    return jsonTree(parseJson(text), view);
  } catch (error) {
    return note(`The body cannot be read as JSON (${error.message}): see the tab “Raw”.`);
  }
}

/** The lines of a tree that show: those below open nodes, or those that lead to a search's finds. */
export function treeLines(tree, isOpen, search = "") {
  const lines = [];
  const wanted = search ? nodesLeadingTo(tree, asciiLower(search)) : null;
  const visit = (node, key, path, depth) => {
    if (wanted && !wanted.has(node)) return;
    const open = node.entries !== undefined && (wanted ? true : isOpen(path, depth));
    lines.push({ node, key, path, depth, open, found: wanted?.get(node) === "found" });
    if (open) for (const [name, child] of node.entries) visit(child, name, [...path, name], depth + 1);
  };
  visit(tree, null, [], 0);
  return lines;
}

function nodesLeadingTo(tree, search) {
  const wanted = new Map([[tree, "leads"]]);
  const visit = (node, key) => {
    let leads = `${key ?? ""}\n${node.text ?? ""}`
      .split("\n")
      .some((text) => asciiLower(text).includes(search));
    if (leads) wanted.set(node, "found");
    for (const [name, child] of node.entries ?? []) if (visit(child, name)) leads = true;
    if (leads && !wanted.has(node)) wanted.set(node, "leads");
    return leads;
  };
  visit(tree, null);
  return wanted;
}

function jsonTree(tree, view) {
  const toggled = new Map();
  const small = treeLines(tree, (_, depth) => depth < 6).length <= SMALL_TREE;
  const isOpen = (path, depth) => toggled.get(JSON.stringify(path)) ?? depth < (small ? 6 : 2);
  const list = h("div", {
    class: "whl-tree",
    role: "tree",
    "aria-label": "Payload",
    "data-lm-suppress-shortcuts": true,
  });
  const search = h("input", {
    class: "whl-input",
    type: "search",
    placeholder: "Search in the payload",
    "aria-label": "Search in the payload",
  });
  const found = h("span", { class: "whl-dim", role: "status" });
  let shown = SHOWN_NODES;
  const draw = (focusOn = null) => {
    const lines = treeLines(tree, isOpen, search.value);
    const more = h("button", {
      class: "whl-button",
      text: `Show more (${lines.length - shown} lines)`,
      onclick: () => draw((shown *= 4)),
    });
    const elements = lines.slice(0, shown).map((line) =>
      treeLine(line, view, (open) => {
        toggled.set(JSON.stringify(line.path), open);
        draw(JSON.stringify(line.path));
      }),
    );
    list.replaceChildren(...elements, ...(lines.length > shown ? [more] : []));
    const at = Math.max(
      0,
      lines.findIndex((line) => JSON.stringify(line.path) === focusOn),
    );
    elements[at]?.setAttribute("tabindex", "0");
    if (typeof focusOn === "string") elements[at]?.focus();
    const count = lines.filter((line) => line.found).length;
    setText(found, search.value ? countText(count, "match", "matches") : "");
  };
  search.addEventListener("input", () => draw());
  list.addEventListener("keydown", treeKeys);
  draw();
  const hint = h("span", { class: "whl-dim", text: "Click a key to copy its column name" });
  return h("div", {}, h("div", { class: "whl-tools" }, search, found, hint), list);
}

function treeLine({ node, key, path, depth, open, found }, view, toggle) {
  const inside = node.entries !== undefined;
  const twisty = h("span", {
    class: "whl-twisty",
    text: inside ? (open ? "▾" : "▸") : "",
    "aria-hidden": "true",
  });
  twisty.addEventListener("click", () => inside && toggle(!open));
  const name = h("span", {
    class: typeof key === "number" ? "whl-index" : "whl-key",
    text: key === null ? "$" : String(key),
  });
  const copy = () => view.copy(columnName(path), `column name ${columnName(path)}`);
  name.addEventListener("click", copy);
  const value = h("span", { class: `whl-value whl-${node.kind}`, text: valueText(node) });
  const line = h(
    "div",
    {
      ...{
        role: "treeitem",
        class: found ? "whl-node whl-found" : "whl-node",
        tabindex: "-1",
        title: columnName(path),
      },
      ...{
        "aria-level": depth + 1,
        "aria-expanded": inside ? String(open) : null,
        style: `--depth: ${depth}`,
      },
    },
    twisty,
    name,
    ": ",
    value,
  );
  line.addEventListener("whl-copy", copy);
  line.addEventListener("whl-open", (event) => inside && open !== event.detail && toggle(event.detail));
  return line;
}

function valueText(node) {
  if (node.kind === "object") return `{${node.entries.length}}`;
  if (node.kind === "array") return `[${node.entries.length}]`;
  if (node.kind !== "string") return node.text;
  return JSON.stringify(node.text.length > 2_000 ? `${node.text.slice(0, 2_000)}…` : node.text);
}

function treeKeys(event) {
  const line = event.target.closest(".whl-node");
  if (!line) return;
  const act = {
    ArrowDown: () => moveTo(line, line.nextElementSibling),
    ArrowUp: () => moveTo(line, line.previousElementSibling),
    Home: () => moveTo(line, line.parentElement.firstElementChild),
    End: () => moveTo(line, line.parentElement.lastElementChild),
    ArrowRight: () => line.dispatchEvent(new CustomEvent("whl-open", { detail: true })),
    ArrowLeft: () => line.dispatchEvent(new CustomEvent("whl-open", { detail: false })),
    Enter: () => line.dispatchEvent(new CustomEvent("whl-copy")),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}

function moveTo(from, to) {
  if (!to) return;
  from.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
}

function pairsTable(label, heads, pairs) {
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col", text })));
  const rows = pairs.map((cells) => h("tr", {}, ...cells.map((text) => h("td", { text }))));
  return h(
    "table",
    { class: "whl-pairs", "aria-label": label },
    h("thead", {}, head),
    h("tbody", {}, ...rows),
  );
}

function headersTab({ detail }) {
  const pairs = JSON.parse(detail.headers);
  if (pairs.length === 0) return note("It came without headers.");
  const masked = detail.masked ? note("Credentials are shown as ***; lab[seq].headers has them.") : null;
  return h("div", {}, pairsTable("Headers", ["Name", "Value"], pairs), masked);
}

function rawTab({ row, detail, view }) {
  const { body } = detail;
  if (body.length === 0) return note("The body is empty.");
  const text = bodyText(body, row.content_type);
  const shown = h("pre", { class: "whl-pre", tabindex: "0", "aria-label": "Raw body" });
  const rest = h("p", { class: "whl-note" });
  const draw = (asText) => {
    const full = asText ? text.length : body.length;
    const limit = asText ? SHOWN_CHARS : SHOWN_HEX_BYTES;
    shown.textContent = asText ? text.slice(0, limit) : hexDump(body, limit);
    rest.textContent =
      full > limit
        ? `The first ${limit.toLocaleString("en")} of ${full.toLocaleString("en")}; lab[${row.seq}].body has all.`
        : "";
  };
  const tools = h("div", { class: "whl-tools" });
  if (text !== null) {
    tools.append(choice("Shown as", ["Text", "Hex"], (picked) => draw(picked === "Text")));
    tools.append(
      h("button", { class: "whl-button", text: "Copy", onclick: () => view.copy(text, "the body") }),
    );
  } else
    tools.append(
      h("span", { class: "whl-dim", text: `${countText(body.length, "byte", "bytes")} that are not text` }),
    );
  draw(text !== null);
  return h("div", {}, tools, shown, rest);
}

/** Buttons of which one is pressed, the first at the beginning. */
function choice(label, options, pick) {
  const group = h("span", { role: "group", "aria-label": label, class: "whl-choice" });
  const press = (picked) => {
    for (const button of group.children) setAttribute(button, "aria-pressed", button.textContent === picked);
    pick(picked);
  };
  for (const text of options)
    group.append(
      h("button", {
        class: "whl-button",
        text,
        "aria-pressed": String(text === options[0]),
        onclick: () => press(text),
      }),
    );
  return group;
}

function formTab({ row, detail }) {
  const sections = [];
  if (row.query_string) {
    const pairs = parseUrlencoded(row.query_string);
    sections.push(h("h4", { text: "Query" }), pairsTable("Query", ["Name", "Value"], pairs));
  }
  const kind = kindOf(row.content_type, detail.body);
  if (kind === "form") {
    const pairs = parseUrlencoded(textOf(detail.body));
    sections.push(h("h4", { text: "Form" }), pairsTable("Form", ["Name", "Value"], pairs));
  }
  if (kind === "multipart")
    sections.push(h("h4", { text: "Parts of the form" }), multipartTable(row, detail));
  return sections.length
    ? h("div", {}, ...sections)
    : note("There is no query string, and the body is not a form.");
}

function multipartTable(row, detail) {
  try {
    const parts = parseMultipart(detail.body, row.content_type).map(({ name, filename, type, bytes }) => {
      const text = filename === null ? bodyText(bytes, type) : null;
      return [name, filename ?? "", type ?? "", sizeText(bytes.length), text?.slice(0, 2_000) ?? ""];
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
  const copy = h("button", {
    class: "whl-button",
    text: "Copy",
    onclick: () => view.copy(shown.textContent, "the code"),
  });
  const tools = h("div", { class: "whl-tools" }, choice("Language", ["curl", "Python"], draw), copy);
  draw("curl");
  return h("div", {}, tools, shown);
}

// ==============================================================================================
// The table
// ==============================================================================================

// The table: only the lines in sight are elements, and these are used again and again

const LINE_PX = 24; // as --whl-line in inbox.css
const SPARE_LINES = 6; // drawn above and below what is in sight

const COLUMNS = [
  { id: "seq", label: "#", text: (row) => String(row.seq) },
  { id: "received_at", label: "Time (UTC)", text: (row, today) => timeText(row.received_at, today) },
  { id: "method", label: "Method", text: (row) => row.method },
  { id: "path", label: "Path", text: targetText },
  { id: "event_type", label: "Type", text: typeText },
  { id: "entity_id", label: "Entity", text: (row) => row.entity_id ?? row.entity_type ?? "" },
  { id: "body_bytes", label: "Size", text: (row) => sizeText(row.body_bytes) },
  { id: "verified", label: "Verified", text: (row) => VERDICTS[row.verified] ?? row.verified },
  { id: "status", label: "Answer", text: (row) => String(row.status ?? "none") },
  { id: "source", label: "Source", text: (row) => row.source },
];

function typeText(row) {
  const batch = row.event_count === 1 ? "" : `${row.event_count} events `;
  const again = row.duplicate_of === null ? "" : ` (again, as #${row.duplicate_of})`;
  return batch + (row.event_type ?? "") + again;
}

function targetText(row) {
  return row.query_string ? `${row.path}?${row.query_string}` : row.path;
}

function entityText(row) {
  return [row.entity_type, row.entity_id].filter((part) => part !== null).join(" ");
}

class Grid {
  constructor({ prefix, onPick, onToggle, onSort, onScroll, onKey }) {
    Object.assign(this, { prefix, onPick, onToggle, count: 0, lineAt: () => null, top: 0, height: 0 });
    this.pool = [];
    this.heads = COLUMNS.map(({ id, label }) =>
      h(
        "div",
        { role: "columnheader", class: `whl-cell whl-c-${id}` },
        h("button", { text: label, title: `Sort by ${label}`, onclick: () => onSort(id) }),
      ),
    );
    const head = h("div", { role: "row", class: "whl-line whl-head", "aria-rowindex": "1" }, ...this.heads);
    this.rows = h("div", { class: "whl-rows", role: "rowgroup" });
    this.el = h(
      "div",
      {
        ...{ class: "whl-grid", role: "grid", tabindex: "0", "aria-label": "Deliveries, the newest first" },
        ...{ "aria-colcount": COLUMNS.length, "data-lm-suppress-shortcuts": true, onkeydown: onKey },
      },
      h("div", { role: "rowgroup", class: "whl-headgroup" }, head),
      this.rows,
    );
    this.el.addEventListener(
      "scroll",
      () => {
        this.top = this.el.scrollTop;
        onScroll(this.top);
      },
      { passive: true },
    );
    this.rows.addEventListener("click", (event) => {
      const line = event.target.closest(".whl-line")?.line;
      if (line) (line.group ? onToggle : onPick)(line.group ? line.key : line.seq);
    });
    this.watch = new ResizeObserver(() => {
      this.height = this.el.clientHeight;
      onScroll(this.top);
    });
    this.watch.observe(this.el);
  }

  /** How many lines fit, the header's own left out. */
  get page() {
    return Math.max(1, Math.floor(this.height / LINE_PX) - 1);
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

  /** Show `count` lines; `lineAt(index)` is a row or a group. All writes, no reads of the layout. */
  draw({ count, lineAt, selected, today, sort }) {
    if (count !== this.count) {
      this.count = count;
      this.rows.style.height = `${count * LINE_PX}px`;
      setAttribute(this.el, "aria-rowcount", count + 1);
    }
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
      this.fill(element, line, index, today);
      const picked = !line.group && line.seq === selected;
      setAttribute(element, "aria-selected", picked);
      if (picked) active = element.id;
    }
    for (const element of unused) element.style.display = "none";
    setAttribute(this.el, "aria-activedescendant", active);
    this.markSort(sort);
  }

  grow(needed) {
    while (this.pool.length < needed) {
      const cells = COLUMNS.map(({ id }) => h("div", { role: "gridcell", class: `whl-cell whl-c-${id}` }));
      const element = h(
        "div",
        { role: "row", class: "whl-line", id: `${this.prefix}-line-${this.pool.length}` },
        ...cells,
      );
      this.pool.push(element);
      this.rows.append(element);
    }
  }

  fill(element, line, index, today) {
    element.style.display = "";
    const place = `translateY(${index * LINE_PX}px)`;
    if (element.style.transform !== place) element.style.transform = place;
    setAttribute(element, "aria-rowindex", index + 2);
    const drawn = line.group ? `${line.key}\n${line.count}\n${line.open}\n${line.last}` : `${today}`;
    if (element.line === line && element.drawn === drawn) return;
    element.line = line;
    element.drawn = drawn;
    if (line.group) this.fillGroup(element, line, today);
    else this.fillRow(element, line, today);
  }

  fillRow(element, row, today) {
    element.classList.remove("whl-group");
    setAttribute(element, "aria-expanded", null);
    setAttribute(element, "aria-level", row.level ?? null);
    COLUMNS.forEach(({ text }, at) => setText(element.children[at], text(row, today)));
    setAttribute(element.children[1], "title", fullTime(row.received_at));
    setAttribute(element.children[3], "title", targetText(row));
    setAttribute(element.children[4], "title", typeText(row) || null);
    setAttribute(element.children[5], "title", entityText(row) || null);
    setAttribute(element, "data-verified", row.verified);
    setAttribute(element, "data-failed", row.status >= 400 ? "true" : null);
  }

  fillGroup(element, group, today) {
    element.classList.add("whl-group");
    setAttribute(element, "aria-expanded", group.open);
    setAttribute(element, "aria-level", 1);
    const texts = {
      seq: group.open ? "▾" : "▸",
      received_at: timeText(group.last, today),
      path: group.label,
      event_type: countText(group.count),
    };
    COLUMNS.forEach(({ id }, at) => setText(element.children[at], texts[id] ?? ""));
  }

  markSort({ column, descending }) {
    COLUMNS.forEach(({ id }, at) => {
      setAttribute(
        this.heads[at],
        "aria-sort",
        id !== column ? null : descending ? "descending" : "ascending",
      );
    });
  }
}

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
      groups.set(key, { group: true, key, label, count: 0, last: 0, rows: [], open: open.has(key) });
    }
    const group = groups.get(key);
    group.rows.push(row);
    group.count++;
    group.last = Math.max(group.last, row.received_at);
  }
  return [...groups.values()].flatMap((group) => (group.open ? [group, ...group.rows] : [group]));
}

// ==============================================================================================
// One view of an inbox
// ==============================================================================================

// One view of an inbox: its filter, selection, scroll position and pause are its own

const REGROUP_MS = 250;
const ASK_FOUND_MS = 300;
const SLOW_ANSWER_MS = 800;
const KERNEL_ENDED =
  "The kernel has ended or was restarted. This shows what had arrived by then: run the cell again to go on.";
let views = 0;

class View {
  constructor(connection, el) {
    Object.assign(this, { connection, held: connection.held, prefix: `whl-${++views}` });
    this.filter = compileFilter("");
    this.filterText = "";
    this.sort = { column: "seq", descending: true };
    this.open = new Set();
    this.groups = this.paused = false;
    this.follow = true;
    this.missed = 0; // rows that came since following ended
    this.selected = null;
    this.tab = TABS[0].id;
    this.kept = null; // the selected row and its detail, which stay while it is selected
    this.forget();
    this.lines = null; // in an order of their own; null: the rows, the newest first
    this.count = 0;
    this.lineAt = () => null;
    this.build(el);
    this.restart();
    this.released = connection.join(this);
  }

  leave() {
    this.released();
    this.grid.watch.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
  }

  // What it is made of

  build(el) {
    const button = (text, title, onclick, more = {}) =>
      h("button", { class: "whl-button", text, title, onclick, ...more });
    const toggle = (text, title, onclick) => button(text, title, onclick, { "aria-pressed": "false" });
    this.dot = h("span", { class: "whl-dot", "aria-hidden": "true" });
    this.status = h("span", { class: "whl-status" });
    this.url = h("code", { class: "whl-url" });
    this.reach = h("span", { class: "whl-reach whl-dim" });
    this.counts = h("span", { class: "whl-counts" });
    this.input = h("input", {
      ...{
        class: "whl-input whl-filter",
        type: "search",
        spellcheck: "false",
        autocomplete: "off",
        "aria-label": "Filter",
      },
      ...{
        placeholder: 'Filter: order.shipped  type:order  -path:/test  "a phrase"  after:2026-03-01',
        onkeydown: (event) => this.filterKey(event),
      },
    });
    this.input.addEventListener("input", () => this.refilter());
    this.invalid = h("div", { class: "whl-invalid", id: `${this.prefix}-invalid`, role: "alert" });
    this.input.setAttribute("aria-describedby", this.invalid.id);
    this.followButton = toggle("Follow", "Keep the newest delivery in sight", () =>
      this.setFollow(!this.follow),
    );
    this.pauseButton = toggle("Pause", "Hold this view still; capturing goes on", () =>
      this.setPaused(!this.paused),
    );
    this.groupButton = toggle("Group by entity", "One heading for each entity", () =>
      this.setGroups(!this.groups),
    );
    this.exportButton = button("Export CSV", "Download these deliveries, as lab.export writes them", () =>
      this.exportCsv(),
    );
    const code = button("Copy as code", "Copy the Python that gives this view's rows", () =>
      this.copy(viewCode(this.input.value), viewCode(this.input.value)),
    );
    const copyUrl = button("Copy", "Copy the URL to send webhooks to", () =>
      this.copy(this.shownUrl, "the URL"),
    );
    this.notices = h("ul", { class: "whl-notices", "aria-label": "Notices" });
    this.said = h("div", { class: "whl-hidden", role: "status", "aria-live": "polite" });
    this.toast = h("div", { class: "whl-toast", "aria-hidden": "true" });
    this.empty = h("div", { class: "whl-empty" });
    this.foot = h("span", { class: "whl-dim" });
    this.olderButton = button("Show older", "Ask the kernel for older deliveries", () => this.askOlder());
    this.detail = h("section", { class: "whl-detail", "aria-label": "The selected delivery" });
    this.grid = new Grid({
      prefix: this.prefix,
      onPick: (seq) => this.select(seq),
      onToggle: (key) => this.toggleGroup(key),
      onSort: (column) => this.setSort(column),
      onScroll: () => this.scrolled(),
      onKey: (event) => this.gridKey(event),
    });
    this.el = h(
      "div",
      { class: "whl", role: "region", "aria-label": "webhooklab inbox" },
      h("div", { class: "whl-bar" }, this.dot, this.status, this.url, copyUrl, this.reach, this.counts),
      this.notices,
      h(
        "div",
        { class: "whl-bar" },
        this.input,
        this.followButton,
        this.pauseButton,
        this.groupButton,
        code,
        this.exportButton,
      ),
      this.invalid,
      h("div", { class: "whl-table" }, this.grid.el, this.empty),
      h("div", { class: "whl-foot" }, this.foot, this.olderButton),
      this.detail,
      this.said,
      this.toast,
    );
    el.append(this.el);
  }

  say(text) {
    setText(this.said, text);
    setText(this.toast, text);
    this.toast.classList.add("whl-shown");
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => this.toast.classList.remove("whl-shown"), 2_000);
  }

  async copy(text, what) {
    await copyText(text);
    this.say(`Copied ${what}`);
  }

  // Which rows: what matches, kept up as rows come

  restart() {
    this.shown = [];
    this.unknown = [];
    this.seen = 0;
    this.epoch = this.held.epoch;
    this.reorder();
  }

  refilter() {
    this.filterText = this.input.value;
    const filter = compileFilter(this.filterText);
    setText(this.invalid, filter.error ?? "");
    setAttribute(this.input, "aria-invalid", filter.error ? "true" : null);
    this.filter = filter;
    this.forget();
    this.restart();
  }

  /** What the kernel said holds for one filter and one revision. */
  forget() {
    this.revision = this.held.revision;
    this.older = { rows: [], done: false, asked: null };
    this.answers = { id: this.connection.newId(), ranges: [], seqs: new Set() };
  }

  take() {
    if (this.paused) return;
    if (this.revision !== this.held.revision) this.forget();
    if (this.epoch !== this.held.epoch) this.restart();
    const { rows } = this.held;
    const from = upperBound(rows, this.seen);
    const before = this.shown.length;
    for (let at = from; at < rows.length; at++) this.sift(rows[at]);
    this.seen = rows.at(-1)?.seq ?? this.seen;
    const gone = upperBound(this.shown, this.held.floor);
    if (gone > 0) this.shown.splice(0, gone);
    const old = upperBound(this.older.rows, this.held.gone);
    if (old > 0) this.older.rows.splice(0, old);
    if (this.shown.length !== before || gone || old || from < rows.length) this.stale = true;
    if (!this.follow && before) this.missed += this.shown.length + gone - before;
    if (this.unknown.length && !this.foundTimer)
      this.foundTimer = setTimeout(() => this.askFound(), ASK_FOUND_MS);
  }

  sift(row) {
    let verdict = this.filter.test(row, this.held.details.get(row.seq));
    if (verdict === null) {
      const { ranges, seqs } = this.answers;
      if (ranges.some(([after, through]) => row.seq > after && row.seq <= through))
        verdict = seqs.has(row.seq);
      else this.unknown.push(row.seq);
    }
    if (verdict) this.shown.push(row);
  }

  /** The kernel says which rows match where this page lacks what it takes to tell. */
  askFound() {
    this.foundTimer = null;
    if (!this.unknown.length) return;
    const [after, through] = [this.unknown[0] - 1, this.unknown.at(-1)];
    this.connection.ask({ kind: "search", id: this.answers.id, filter: this.filterText, after, through });
  }

  found(message, buffer) {
    if (message.id !== this.answers?.id) return;
    this.answers.ranges = addRange(this.answers.ranges, message.after, message.through);
    for (const seq of JSON.parse(textOf(buffer))) this.answers.seqs.add(seq);
    this.restart();
    this.dirty();
  }

  askOlder() {
    const before = this.older.rows[0]?.seq ?? this.held.rows[0]?.seq;
    if (before === undefined || this.older.asked) return;
    this.older.asked = this.connection.newId();
    this.connection.ask({ kind: "older", id: this.older.asked, filter: this.filterText, before });
    this.dirty();
  }

  tookOlder(message, buffer) {
    if (message.id !== this.older.asked || message.revision !== this.held.revision) return;
    const rows = rowsOf(JSON.parse(textOf(buffer.subarray(0, message.columns))));
    this.older = { rows: mergeRows(rows, this.older.rows), done: message.done, asked: null };
    this.stale = true;
    this.dirty();
  }

  // What is drawn

  dirty() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const anchor = this.follow ? null : this.anchor();
    this.take();
    this.order();
    if (this.follow) this.grid.scrollTo(0);
    else if (anchor) this.restoreAnchor(anchor);
    this.drawGrid();
    this.drawBar();
    this.drawFoot();
    this.drawDetail();
  }

  /** Lines in the order shown. The plain order needs none: it is the rows from the end. */
  order() {
    if (!this.stale) return;
    const plain = this.sort.column === "seq" && this.sort.descending && !this.groups;
    if (!plain && performance.now() - this.ordered < REGROUP_MS) {
      this.timer ??= setTimeout(() => ((this.timer = null), this.dirty()), REGROUP_MS);
      return;
    }
    this.stale = false;
    this.ordered = performance.now();
    const rows = this.older.rows.length ? mergeRows(this.older.rows, this.shown) : this.shown;
    const sorted = plain ? rows : sortRows(rows, this.sort);
    const lines = this.groups ? groupLines(sorted, this.open) : sorted;
    this.lines = plain ? null : lines;
    this.count = lines.length;
    this.lineAt = plain ? (index) => lines[lines.length - 1 - index] : (index) => lines[index];
  }

  /** The line at the top and how far it is scrolled, to be found again among other lines. */
  anchor() {
    const index = Math.floor(this.grid.top / LINE_PX);
    const line = index < this.count ? this.lineAt(index) : null;
    return line && { line, offset: this.grid.top - index * LINE_PX };
  }

  restoreAnchor({ line, offset }) {
    const index = this.indexOf(
      (other) => (line.group ? other.key === line.key : other.seq === line.seq),
      line.seq,
    );
    if (index >= 0) {
      this.grid.count = Math.max(this.grid.count, this.count);
      this.grid.rows.style.height = `${this.grid.count * LINE_PX}px`;
      this.grid.scrollTo(index * LINE_PX + offset);
    }
  }

  indexOf(isIt, seq) {
    if (this.lines) return this.lines.findIndex(isIt);
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lineAt(middle).seq > seq) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.lineAt(low).seq === seq ? low : -1;
  }

  drawGrid() {
    const today = Math.floor(Date.now() / 86_400_000) * 86_400_000_000;
    setAttribute(this.grid.el, "role", this.groups ? "treegrid" : "grid");
    this.grid.draw({
      count: this.count,
      lineAt: this.lineAt,
      selected: this.selected,
      today,
      sort: this.sort,
    });
    this.drawEmpty();
  }

  drawEmpty() {
    const url = this.held.state?.url ?? "";
    const kind = this.count
      ? ""
      : this.filterText.trim() && !this.filter.empty
        ? "none"
        : this.held.state
          ? `nothing ${url}`
          : "waiting";
    if (kind === this.emptyKind) return;
    this.emptyKind = kind;
    this.empty.replaceChildren(...this.emptyParts(kind.split(" ")[0], url));
    this.empty.hidden = kind === "";
  }

  emptyParts(kind, url) {
    if (kind === "none") {
      const clear = () => ((this.input.value = ""), this.refilter(), this.input.focus());
      return [
        h("p", { text: "No delivery here matches the filter." }),
        h("button", { class: "whl-button", text: "Clear the filter", onclick: clear }),
      ];
    }
    if (kind === "waiting") return [h("p", { text: "Waiting for the kernel…" })];
    if (kind === "") return [];
    const example = `curl --json '{"hello": "world"}' ${shellQuoted(url)}`;
    const copy = h("button", {
      class: "whl-button",
      text: "Copy",
      onclick: () => this.copy(example, "the command"),
    });
    return [
      h("p", { text: "Nothing has arrived yet. Paste the URL above into your provider, or try:" }),
      h("p", {}, h("code", { text: example }), " ", copy),
    ];
  }

  /** The URL to give away: the public one where there is one. */
  get shownUrl() {
    return this.held.state?.public || this.held.state?.url || "";
  }

  drawBar() {
    const state = this.held.state;
    const status = !this.connection.alive
      ? "waiting"
      : state?.status === "closed"
        ? "closed"
        : this.paused
          ? "paused"
          : (state?.status ?? "waiting");
    setAttribute(this.el, "data-status", status);
    setText(this.status, STATUSES[status] ?? status);
    setAttribute(
      this.status,
      "title",
      status === "waiting" ? "It does not answer: what is shown may be old" : (state?.detail ?? ""),
    );
    setText(this.url, this.shownUrl);
    setText(this.reach, state?.reach ?? "");
    if (state)
      setText(
        this.counts,
        [
          countText(state.total),
          this.connection.alive && state.rate > 0 ? rateText(state.rate) : null,
          state.file,
        ]
          .filter(Boolean)
          .join(" · "),
      );
    setAttribute(this.followButton, "aria-pressed", this.follow);
    setAttribute(this.pauseButton, "aria-pressed", this.paused);
    setAttribute(this.groupButton, "aria-pressed", this.groups);
    this.drawNotices(state?.notices ?? []);
  }

  drawNotices(notices) {
    const { failure, ended } = this.connection;
    const texts = [...notices, failure, ended ? KERNEL_ENDED : null].filter(Boolean);
    if (texts.join("\n") === this.noticed) return;
    this.noticed = texts.join("\n");
    this.notices.replaceChildren(...texts.map((text) => h("li", { text })));
  }

  drawFoot() {
    const { rows, floor, state } = this.held;
    const parts = [];
    const here = rows.length + this.older.rows.length;
    const older = state && floor > 0 && state.total > here && !this.older.done;
    const matches = this.shown.length + this.older.rows.length;
    if (!this.filter.empty)
      parts.push(`${matches.toLocaleString("en")} of ${rows.length.toLocaleString("en")} match`);
    else if (older) parts.push(`${here.toLocaleString("en")} newest are here`);
    if (older) parts.push(`${(state.total - rows.length).toLocaleString("en")} older ones in the kernel`);
    if (this.missed && !this.follow) parts.push(`${this.missed.toLocaleString("en")} new above`);
    if (this.paused)
      parts.push(
        `${countText(rows.length - upperBound(rows, this.seen), "new delivery waits", "new deliveries wait")}`,
      );
    if (this.unknown.length)
      parts.push(
        `the kernel is asked about ${this.unknown.length.toLocaleString("en")} more${this.connection.slow("search") ? ": waiting for it, a cell is running" : ""}`,
      );
    setText(this.foot, parts.join(" · "));
    this.olderButton.hidden = !older;
    this.olderButton.disabled = this.older.asked !== null;
    setText(
      this.olderButton,
      this.older.asked === null
        ? "Show older"
        : this.connection.slow("older")
          ? "Waiting for the kernel: a cell is running"
          : "Asking the kernel…",
    );
  }

  // The detail view

  select(seq, { focus = false } = {}) {
    this.selected = seq;
    if (seq !== null) {
      this.setFollow(false);
      const row = this.rowOf(seq);
      if (row && !this.held.details.has(seq)) this.connection.askBody(seq);
    } else if (this.grid.top === 0) this.setFollow(true);
    this.dirty();
    if (focus)
      requestAnimationFrame(() => this.detail.querySelector("[role=tab][aria-selected=true]")?.focus());
  }

  rowOf(seq) {
    const kept =
      this.kept?.row.seq === seq && this.kept.revision === this.held.revision ? this.kept.row : null;
    return this.held.find(seq) ?? this.older.rows.find((row) => row.seq === seq) ?? kept;
  }

  detailOf(row) {
    if (row !== this.kept?.row) this.kept = { row, revision: this.held.revision, detail: null };
    this.kept.detail = this.held.details.get(row.seq) ?? this.kept.detail;
    return this.kept.detail;
  }

  drawDetail() {
    const row = this.selected === null ? null : this.rowOf(this.selected);
    const detail = row ? this.detailOf(row) : null;
    const wait = row && !detail ? (this.held.absent.get(row.seq) ?? this.connection.waitText(row.seq)) : "";
    const key = `${this.selected} ${row !== null && row !== undefined} ${this.tab} ${Boolean(detail)} ${wait} ${row?.status} ${this.held.revision}`;
    if (key === this.detailKey) return;
    const focused =
      this.detail.contains(document.activeElement) && document.activeElement.getAttribute("role") === "tab";
    this.detailKey = key;
    this.detail.hidden = this.selected === null;
    this.detail.replaceChildren(
      ...(row
        ? this.detailParts(row, detail, wait)
        : this.selected === null
          ? []
          : [
              note(
                `Delivery ${this.selected} is not held here any more; if it was not deleted, lab[${this.selected}] has it.`,
              ),
            ]),
    );
    if (focused) this.detail.querySelector("[role=tab][aria-selected=true]")?.focus();
  }

  detailParts(row, detail, wait) {
    const code = `lab[${row.seq}]`;
    const title = h(
      "div",
      { class: "whl-title" },
      h("strong", { text: `#${row.seq} ${row.method}` }),
      h("span", { class: "whl-path", text: targetText(row) }),
      h("button", {
        class: "whl-button",
        text: `Copy ${code}`,
        title: "The Python that gives this delivery",
        onclick: () => this.copy(code, code),
      }),
      h("button", {
        class: "whl-button",
        text: "Close",
        title: "Close the details (Escape)",
        onclick: () => (this.select(null), this.grid.el.focus()),
      }),
    );
    const facts = h("p", { class: "whl-facts", text: factsOf(row).join(" · ") });
    const tabs = TABS.map(({ id, label }) =>
      h("button", {
        ...{
          class: "whl-tab",
          role: "tab",
          text: label,
          id: `${this.prefix}-tab-${id}`,
          tabindex: id === this.tab ? "0" : "-1",
        },
        ...{
          "aria-selected": String(id === this.tab),
          "aria-controls": `${this.prefix}-panel`,
          onclick: () => this.pickTab(id),
        },
      }),
    );
    const list = h(
      "div",
      {
        class: "whl-tabs",
        role: "tablist",
        "aria-label": "Details",
        "data-lm-suppress-shortcuts": true,
        onkeydown: (event) => this.tabKey(event),
      },
      ...tabs,
    );
    const panel = h(
      "div",
      {
        class: "whl-panel",
        role: "tabpanel",
        id: `${this.prefix}-panel`,
        "aria-labelledby": `${this.prefix}-tab-${this.tab}`,
      },
      this.tabContent(row, detail, wait),
    );
    return [title, facts, list, panel];
  }

  tabContent(row, detail, wait) {
    const tab = TABS.find(({ id }) => id === this.tab);
    if (!detail && !tab.columns) return note(wait);
    try {
      return tab.show({ row, detail, view: this });
    } catch (error) {
      return note(`This cannot be shown (${error.message}): see the tab “Raw”.`);
    }
  }

  pickTab(id) {
    this.tab = id;
    this.drawDetail();
    this.detail.querySelector("[role=tab][aria-selected=true]")?.focus();
  }

  tabKey(event) {
    const at = TABS.findIndex(({ id }) => id === this.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (event.key === "Escape") (this.select(null), this.grid.el.focus());
    else if (to === undefined) return;
    else this.pickTab(TABS[(to + TABS.length) % TABS.length].id);
    event.preventDefault();
    event.stopPropagation();
  }

  // What a user does

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

  setGroups(groups) {
    this.groups = groups;
    this.reorder();
  }

  setSort(column) {
    const again = this.sort.column === column;
    const descending = again ? !this.sort.descending : ["seq", "received_at", "body_bytes"].includes(column);
    this.sort = { column, descending };
    this.reorder();
  }

  toggleGroup(key) {
    if (!this.open.delete(key)) this.open.add(key);
    this.setFollow(false);
    this.reorder();
  }

  reorder() {
    this.stale = true;
    this.ordered = -Infinity;
    this.dirty();
  }

  scrolled() {
    if (this.follow && this.grid.top > LINE_PX / 2) this.setFollow(false);
    else if (!this.follow && this.grid.top === 0 && this.selected === null && !this.groups)
      this.setFollow(true);
    this.dirty();
  }

  filterKey(event) {
    if (event.key === "ArrowDown") {
      this.grid.el.focus();
      if (this.selected === null) this.step(0);
    } else if (event.key === "Escape" && this.input.value) {
      this.input.value = "";
      this.refilter();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  gridKey(event) {
    if (event.target !== this.grid.el || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.current();
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + this.grid.page,
      PageUp: at - this.grid.page,
      Home: 0,
      End: this.count - 1,
    }[event.key];
    const line = at >= 0 ? this.lineAt(at) : null;
    if (to !== undefined) this.step(to);
    else if (event.key === "Enter" || event.key === " ")
      line?.group ? this.toggleGroup(line.key) : this.select(this.selected, { focus: event.key === "Enter" });
    else if (["ArrowRight", "ArrowLeft"].includes(event.key) && line?.group)
      (event.key === "ArrowRight") !== line.open && this.toggleGroup(line.key);
    else if (event.key === "Escape") this.select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  current() {
    if (this.cursor !== undefined && this.groups)
      return this.lines?.findIndex((line) => line.key === this.cursor) ?? -1;
    return this.selected === null ? -1 : this.indexOf((line) => line.seq === this.selected, this.selected);
  }

  step(to) {
    if (!this.count) return;
    const index = Math.max(0, Math.min(to, this.count - 1));
    const line = this.lineAt(index);
    this.cursor = line.group ? line.key : undefined;
    this.select(line.group ? null : line.seq);
    this.setFollow(false);
    this.grid.reveal(index);
  }

  exportCsv() {
    if (this.exporting || this.filter.error) return;
    this.exporting = this.connection.newId();
    this.connection.ask({ kind: "export", id: this.exporting, filter: this.filterText });
    setText(this.exportButton, "Exporting…");
    setTimeout(
      () => this.exporting && setText(this.exportButton, "Waiting for the kernel: a cell is running"),
      SLOW_ANSWER_MS * 3,
    );
  }

  exported(id, bytes) {
    if (id !== this.exporting) return;
    this.exporting = null;
    setText(this.exportButton, "Export CSV");
    if (bytes) download(`${(this.held.state?.file ?? "captures").replace(/\.\w+$/, "")}.csv`, bytes);
    if (bytes) this.say("Downloaded");
  }
}

function factsOf(row) {
  const facts = [
    fullTime(row.received_at),
    sizeText(row.body_bytes),
    row.content_type ?? "no Content-Type",
    `from ${row.remote ?? "an unknown address"} (${row.source})`,
  ];
  facts.push(row.status === null ? "not answered" : `answered ${row.status}`);
  if (row.verified !== "unchecked")
    facts.push(row.verified_reason ? `${row.verified}: ${row.verified_reason}` : row.verified);
  if (row.provider) facts.push(row.provider);
  for (const [label, value] of [
    ["event", row.event_id],
    ["entity", entityText(row)],
    ["version", row.version],
  ])
    if (value) facts.push(`${label} ${value}`);
  if (row.occurred_at !== null) facts.push(`happened ${fullTime(row.occurred_at)}`);
  if (row.duplicate_of !== null) facts.push(`the same event as #${row.duplicate_of}`);
  if (row.marks & TEXT_CUT) facts.push("long texts are cut here");
  return facts;
}

// ==============================================================================================
// The connection to the kernel
// ==============================================================================================

// The connection to the kernel: what was heard, what is missing, what was asked

const TICK_MS = 1_000;
const HERE_TICKS = 15;

class Connection {
  constructor(model) {
    Object.assign(this, { model, held: new Held(), views: new Set(), asked: new Map(), failure: null });
    this.heard = -Infinity;
    this.ticks = 0;
    this.lastGaps = "";
    this.alive = false;
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
    this.asked.set(question.kind, performance.now());
    this.send(question);
    setTimeout(() => this.changed(), SLOW_ANSWER_MS + 50);
  }

  askBody(seq) {
    this.bodyAsked = { seq, at: performance.now() };
    this.held.absent.delete(seq);
    this.send({ kind: "body", seq });
    setTimeout(() => this.changed(), SLOW_ANSWER_MS + 50);
  }

  slow(kind) {
    return this.asked.has(kind) && performance.now() - this.asked.get(kind) > SLOW_ANSWER_MS;
  }

  waitText(seq) {
    if (!this.alive) return "Waiting for the kernel: it does not answer.";
    const slow = this.bodyAsked?.seq === seq && performance.now() - this.bodyAsked.at > SLOW_ANSWER_MS;
    return slow ? "Waiting for the kernel: a cell is running." : "Asking the kernel for the body…";
  }

  hearEnd() {
    this.heard = -Infinity;
    this.alive = false;
    this.ended = true;
    this.changed();
  }

  hear(message, buffers) {
    this.heard = performance.now();
    this.ended = false;
    this.alive = true;
    const buffer = buffers?.length ? bytesOf(buffers[0]) : new Uint8Array();
    const { held } = this;
    if (message.total !== undefined && held.isCurrent(message.revision))
      held.state = { ...held.state, ...message };
    if (message.gone) held.evictRows();
    if (message.limits) held.limits = message.limits;
    if (message.kind === "rows") held.take(message, buffer);
    if (message.kind === "details") held.takeDetails(message, buffer);
    if (message.kind === "absent")
      held.absent.set(
        message.seq,
        message.gone
          ? "This delivery is no longer there."
          : `The body is too large to be sent here: lab[${message.seq}].body has it.`,
      );
    if (message.kind !== "state" && message.kind !== "rows") this.answered(message, buffer);
    this.changed();
  }

  answered(message, buffer) {
    this.asked.delete(message.kind === "found" ? "search" : message.kind);
    if (message.kind === "failed") this.failure = message.error;
    for (const view of this.views) {
      if (message.kind === "found") view.found(message, buffer);
      if (message.kind === "older") view.tookOlder(message, buffer);
      if (message.kind === "exported") view.exported(message.id, buffer);
      if (message.kind === "failed") view.exported(message.of.id, null);
    }
  }

  changed() {
    for (const view of this.views) view.dirty();
  }

  greet() {
    this.send({ kind: "hello", server: serverAddress(document, location.href) });
  }

  /** Once a second: is the kernel there, is anything missing, is anybody looking? */
  tick() {
    const silence = performance.now() - this.heard;
    this.alive = silence < this.held.limits.heartbeatSeconds * 3_500;
    if (this.heard === -Infinity && !this.ended && this.ticks % 3 === 2) this.greet();
    if (this.ticks++ % HERE_TICKS === 0 && this.views.size) this.send({ kind: "here" });
    const gaps = this.held.gaps();
    const text = JSON.stringify([gaps, this.held.revision]);
    // Only what is still missing after a second: the rest may be on its way.
    if (gaps.length && text === this.lastGaps) this.send({ kind: "need", ranges: gaps });
    this.lastGaps = text;
    this.changed();
  }
}

function bytesOf(view) {
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
}

// ---------------------------------------------------------------------------------------------
// The widget. `initialize` and `render` get different objects for one model: its instance ties them.

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
