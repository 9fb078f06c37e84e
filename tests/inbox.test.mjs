// The browser's part of the inbox, without a browser: `node --test tests/`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";

// The installed one, where pytest runs this; else that of the checkout.
const inbox = process.env.WEBHOOKLAB_INBOX ?? new URL("../webhooklab/inbox/inbox.mjs", import.meta.url);
const {
  addRange,
  answerText,
  bothSides,
  bodyText,
  byTarget,
  canSign,
  codingsOf,
  columnName,
  compileFilter,
  countsText,
  counterpart,
  curlCode,
  editableBody,
  fetchVerdict,
  gapsIn,
  groupLines,
  headerChanges,
  headerLines,
  Held,
  hexDump,
  isAlive,
  kindOf,
  Lookups,
  mergeRows,
  packingText,
  parseFilter,
  parseInstant,
  parseJson,
  parseMultipart,
  parseUrlencoded,
  pullParts,
  pythonCode,
  sendable,
  senderText,
  sideLines,
  sizeText,
  sortRows,
  statusOf,
  textRepr,
  timeText,
  treeLines,
  tryVerdict,
  typeText,
  unlike,
  unlikeText,
  unpack,
  upperBound,
  viewCode,
  withLineEnds,
  withTerm,
} = await import(inbox);

const bytes = (text) => new TextEncoder().encode(text);
const cases = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf-8"));

function row(more) {
  const empty = { seq: 1, received_at: 0, source: "local", method: "POST", path: "/", query_string: "" };
  const unsaid = { provider: null, event_type: null, event_id: null, entity_type: null, entity_id: null };
  const rest = { version: null, verified: "unchecked", status: 200, body_bytes: 2, marks: 0 };
  return { ...empty, ...unsaid, ...rest, ...more };
}

const detail = (body = "{}", headers = [], masked = false) => ({
  headers: JSON.stringify(headers),
  masked,
  body: bytes(body),
});

const finds = (filter, given, rest = detail()) => compileFilter(filter).test(row(given), rest);

// The filter language

test("the code tab writes what code.py writes", () => {
  for (const given of cases("code_cases.json")) {
    const shown = { ...given, query_string: given.shown.query_string };
    const body = new Uint8Array(Buffer.from(given.body_base64, "base64"));
    const request = sendable(shown, { headers: JSON.stringify(given.shown.headers), body }, given.base_url);
    assert.equal(curlCode(request), given.curl);
    assert.equal(pythonCode(request), given.python);
  }
});

test("the filter finds what lab.find finds", () => {
  const { rows, cases: given } = cases("filter_cases.json");
  for (const { filter, seqs } of given) {
    const { test: matches } = compileFilter(filter);
    const found = rows.filter((each) => matches(...held(each))).map((each) => each.seq);
    assert.deepEqual(found, seqs, filter);
  }
});

test("the filter refuses what lab.find refuses", () => {
  for (const filter of cases("filter_cases.json").errors) assert.ok(compileFilter(filter).error, filter);
  assert.ok(compileFilter("x".repeat(10_001)).error);
  assert.ok(compileFilter("x ".repeat(101)).error);
});

test("words, phrases, fields and their negation", () => {
  assert.deepEqual(parseFilter('order -path:/test "a b"'), [
    { field: null, value: "order", negated: false },
    { field: "path", value: "/test", negated: true },
    { field: null, value: "a b", negated: false },
  ]);
  assert.deepEqual(parseFilter("urn:x"), [{ field: null, value: "urn:x", negated: false }]);
  assert.deepEqual(parseFilter('type:"order pa'), [
    { field: "event_type", value: "order pa", negated: false },
  ]);
  assert.deepEqual(parseFilter("- type:"), [
    { field: null, value: "-", negated: false },
    { field: null, value: "type:", negated: false },
  ]);
});

test("a type is found by its first parts, and by a wildcard", () => {
  assert.equal(finds("type:order", { event_type: "order.shipped" }), true);
  assert.equal(finds("type:order", { event_type: "orders" }), false);
  assert.equal(finds("type:ORDER.*ED", { event_type: "order.shipped" }), true);
  assert.equal(finds("-type:order", { event_type: null }), true);
  assert.equal(finds("type:order", { event_type: null }), false);
});

test("only A to Z match without regard to case", () => {
  assert.equal(finds("path:CAFÉ", { path: "/cafÉ" }), true);
  assert.equal(finds("path:café", { path: "/cafÉ" }), false);
});

test("times bound when it was received", () => {
  const received_at = Date.UTC(2026, 2, 1, 12) * 1000;
  assert.equal(finds("after:2026-03-01T12:00Z before:2026-03-01T12:00:01", { received_at }), true);
  assert.equal(finds("before:2026-03-01T12:00Z", { received_at }), false);
  assert.match(compileFilter("after:yesterday").error, /is not a time/);
});

test("where this page lacks what it takes, the kernel has to say", () => {
  assert.equal(finds("refund", {}, null), null);
  assert.equal(finds("-refund", {}, null), null);
  assert.equal(finds("refund type:x", {}, null), false);
  assert.equal(finds("refund", { path: "/refund" }, null), true);
  assert.equal(finds("refund", { body_bytes: 0 }, null), false);
  assert.equal(finds("header:abc", {}, detail("", [["Authorization", "***"]], true)), null);
  assert.equal(finds("header:author", {}, detail("", [["Authorization", "***"]], true)), true);
  assert.equal(finds("query:abc", { query_string: "token=***", marks: 1 }), null);
  assert.equal(finds("path:abc", { path: "x", marks: 2 }), null);
});

test("a body is searched as bytes", () => {
  assert.equal(finds("REFUND", {}, detail('{"text": "a ReFund"}')), true);
  assert.equal(finds("body:\u00e9", {}, detail("caf\u00e9")), true);
  assert.equal(finds('""', {}), true);
});

test("instants are read as instants.py reads them", () => {
  const noon = Date.UTC(2026, 2, 1, 12) * 1000;
  for (const text of [
    "2026-03-01T12:00",
    "2026-03-01 12:00:00.000",
    "20260301T120000Z",
    "2026-03-01T14:00+02:00",
    "2026-03-01T14:00:00 +0200",
    "2026-03-01😀12:00z",
    "\x1c\x85 2026-03-01T12:00\x1f",
  ]) {
    assert.equal(parseInstant(text), noon, text);
  }
  assert.equal(parseInstant("1772366400"), noon);
  assert.equal(parseInstant("1772366400000"), noon);
  assert.equal(parseInstant("99999999999999999"), 99999999999999999);
  assert.equal(parseInstant("2026-03-01"), noon - 12 * 3600e6);
  for (const text of ["", "soon", "2026-13-01", "2026-02-30", "2026-03-01T25:00", "0000-01-01"]) {
    assert.equal(parseInstant(text), null, text);
  }
  for (const text of ["2026-0301", "202603-01", "20260301120000Z", "2026-03-01T12:00+24:00", "\ufeff1"]) {
    assert.equal(parseInstant(text), null, text);
  }
});

// What is held

test("ranges join, and what is missing shows", () => {
  let ranges = addRange([], 10, 20);
  ranges = addRange(ranges, 30, 40);
  assert.deepEqual(gapsIn(ranges, 0, 50), [
    [0, 10],
    [20, 30],
    [40, 50],
  ]);
  ranges = addRange(ranges, 20, 30);
  assert.deepEqual(ranges, [[10, 40]]);
  assert.deepEqual(gapsIn(ranges, 12, 40), []);
  assert.deepEqual(gapsIn([], 0, 0), []);
});

/** A message as rows.py packs it. */
function message(seqs, { revision = 1, after = seqs[0] - 1, through = seqs.at(-1), bodies = {} } = {}) {
  const columns = bytes(JSON.stringify({ seq: seqs, body_bytes: seqs.map(() => 1) }));
  const details = Object.entries(bodies).map(([seq, body]) => [Number(seq), 0, 2, body.length]);
  const parts = [columns, ...Object.values(bodies).flatMap((body) => [bytes("[]"), bytes(body)])];
  const buffer = new Uint8Array(Buffer.concat(parts));
  return [{ revision, after, through, columns: columns.length, details }, buffer];
}

const seqsOf = (held) => held.rows.map(({ seq }) => seq);

test("rows come in any order, twice, and with their bodies", () => {
  const held = new Held();
  held.take(...message([5, 6], { bodies: { 6: "abc" } }));
  held.take(...message([1, 3], { after: 0, through: 4 }));
  held.take(...message([3, 4], { after: 2, through: 4 }));
  assert.deepEqual(seqsOf(held), [1, 3, 4, 5, 6]);
  assert.deepEqual(held.ranges, [[0, 6]]);
  assert.equal(new TextDecoder().decode(held.details.get(6).body), "abc");
  held.state = { head: 8 };
  assert.deepEqual(held.gaps(), [[6, 8]]);
});

test("a row that comes again replaces the one that is held, and says nothing of those around", () => {
  const held = new Held();
  held.take(...message([1, 2, 3], { bodies: { 2: "abc" } }));
  held.take(...message([6]));
  const [again] = message([2, 5], { after: 0, through: 0 });
  const columns = bytes(JSON.stringify({ seq: [2, 5], status: [503, 200] }));
  held.take({ ...again, columns: columns.length }, columns);
  assert.deepEqual(seqsOf(held), [1, 2, 3, 5, 6]);
  assert.equal(held.find(2).status, 503);
  assert.equal(new TextDecoder().decode(held.details.get(2).body), "abc");
  held.state = { head: 6 };
  assert.deepEqual(held.gaps(), [[3, 5]]);
});

test("another revision begins anew; an earlier one is not taken", () => {
  const held = new Held();
  held.take(...message([1, 2, 3]));
  held.take(...message([1, 3], { revision: 2 }));
  assert.deepEqual(seqsOf(held), [1, 3]);
  assert.deepEqual(held.take(...message([1, 2, 3])), []);
  assert.deepEqual(seqsOf(held), [1, 3]);
});

test("the newest rows and so many bytes are held", () => {
  const held = new Held();
  held.limits = { heldRows: 3, heldBytes: 10, heartbeatSeconds: 2 };
  held.take(...message([1, 2, 3, 4], { bodies: { 1: "aaaa", 3: "bbbb", 4: "cccc" } }));
  assert.deepEqual(seqsOf(held), [2, 3, 4]);
  assert.equal(held.floor, 1);
  assert.deepEqual([...held.details.keys()], [4]);
  held.state = { head: 4 };
  assert.deepEqual(held.gaps(), []);
});

test("what the capture file has dropped goes, and is not asked for", () => {
  const held = new Held();
  held.state = { head: 6, gone: 0 };
  held.take(...message([1, 2, 3, 5, 6], { after: 0, through: 6, bodies: { 2: "a", 6: "b" } }));
  held.state = { head: 8, gone: 3 };
  held.evictRows();
  assert.deepEqual(seqsOf(held), [5, 6]);
  assert.deepEqual([...held.details.keys()], [6]);
  assert.deepEqual(held.gaps(), [[6, 8]]);
  held.take(...message([2, 3], { after: 0, through: 4 }));
  assert.deepEqual(seqsOf(held), [5, 6]);
});

test("rows are found and merged by seq", () => {
  const rows = [1, 3, 5].map((seq) => ({ seq }));
  assert.deepEqual(
    [0, 1, 4, 9].map((seq) => upperBound(rows, seq)),
    [0, 1, 2, 3],
  );
  assert.deepEqual(mergeRows(rows, [{ seq: 2 }, { seq: 3, fresh: true }]), [
    ...[{ seq: 1 }, { seq: 2 }, { seq: 3, fresh: true }, { seq: 5 }],
  ]);
});

// Bodies

test("JSON shows what was sent: order, digits, odd keys", () => {
  const tree = parseJson(
    '{"b": 12345678901234567890, "1": [1.0, -2e-3], "__proto__": null, "a\\u0062\\"": "\\ud83d\\ude00"}',
  );
  assert.deepEqual(
    tree.entries.map(([key]) => key),
    ["b", "1", "__proto__", 'ab"'],
  );
  assert.equal(tree.entries[0][1].text, "12345678901234567890");
  assert.deepEqual(
    tree.entries[1][1].entries.map(([, node]) => node.text),
    ["1.0", "-2e-3"],
  );
  assert.equal(tree.entries[3][1].text, "😀");
});

test("what is not JSON is refused", () => {
  const texts = [
    "",
    "{",
    "[1,]",
    "{'a': 1}",
    '{"a" 1}',
    "01",
    "NaN",
    "1 2",
    '"a',
    '"\n"',
    '"\\x"',
    "[".repeat(2000),
    "{,}",
    "tru",
  ];
  for (const text of texts) assert.throws(() => parseJson(text), SyntaxError, text);
});

test("a key's column name is that of lab.payloads", () => {
  assert.equal(columnName(["data", "object", "status"]), "data.object.status");
  assert.equal(columnName(["a.b", "c\\d"]), "a\\.b.c\\\\d");
  assert.equal(columnName(["items", 0, "id"]), "items");
  assert.equal(columnName(["$"]), "\\$");
  assert.equal(columnName([]), "$");
  assert.equal(columnName(["x\ud800"]), "x\\ud800");
});

test("a filter gets one more condition, quoted where it must be", () => {
  assert.equal(withTerm("", "type", "order.paid"), "type:order.paid");
  assert.equal(withTerm(" refund ", "entity", "ord_1"), "refund entity:ord_1");
  assert.equal(withTerm("type:order.paid x", "type", "order.paid"), "type:order.paid x");
  for (const value of ["a b", 'say "hi"', "back\\slash", "", "\x85"]) {
    const [term] = parseFilter(withTerm("", "id", value));
    assert.deepEqual(term, { field: "event_id", value, negated: false });
  }
});

test("a tree shows what is open, or what a search leads to", () => {
  const tree = parseJson('{"a": {"b": "needle"}, "c": [1, 2]}');
  const keys = (lines) => lines.map(({ key }) => key);
  assert.deepEqual(keys(treeLines(tree, (_, depth) => depth < 1)), [null, "a", "c"]);
  assert.deepEqual(keys(treeLines(tree, () => true)), [null, "a", "b", "c", 0, 1]);
  const found = treeLines(tree, () => false, "NEEDLE");
  assert.deepEqual(keys(found), [null, "a", "b"]);
  assert.deepEqual(
    found.filter((line) => line.found).map(({ key }) => key),
    ["b"],
  );
});

test("bodies are told apart as bodies.py does", () => {
  assert.equal(kindOf("application/cloudevents+json; charset=utf-8", bytes("x")), "json");
  assert.equal(kindOf(null, bytes("  [1]")), "json");
  assert.equal(kindOf("text/plain", bytes("hello")), "other");
  assert.equal(kindOf("multipart/form-data; boundary=x", bytes("")), "multipart");
});

test("text is read by its charset; what is not text is null", () => {
  assert.equal(bodyText(new Uint8Array([0xe9]), "text/plain; charset=latin1"), "é");
  assert.equal(bodyText(bytes("é"), null), "é");
  assert.equal(bodyText(new Uint8Array([0xff, 0xfe, 65, 0]), null), "A");
  assert.equal(bodyText(new Uint8Array([0, 1, 2]), null), null);
  assert.equal(bodyText(new Uint8Array([0xe9, 0x28]), null), null);
  assert.equal(bodyText(bytes("x"), "text/plain; charset=nonsense"), null);
});

test("bytes are dumped sixteen a line", () => {
  const lines = hexDump(bytes("0123456789abcdef<>")).split("\n");
  assert.equal(lines[0], "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef");
  assert.equal(lines[1].endsWith("<>"), true);
});

test("packed bodies are unpacked, the last coding first", async () => {
  const text = "hello ".repeat(2_000);
  const packed = {
    gzip: gzipSync(text),
    "x-gzip": gzipSync(text),
    deflate: deflateSync(text),
    "deflate, gzip": gzipSync(deflateSync(text)),
  };
  for (const [header, body] of Object.entries({ ...packed, Deflate: deflateRawSync(text) })) {
    const codings = codingsOf([["content-encoding", header]]);
    const { bytes: got, cut, error } = await unpack(new Uint8Array(body), codings, 1e6);
    assert.deepEqual([new TextDecoder().decode(got), cut, error], [text, false, null], header);
  }
});

test("codings are those of all headers; identity is none", () => {
  const headers = [
    ["Content-Encoding", "identity, GZIP"],
    ["X", "y"],
    ["content-encoding", "br"],
  ];
  assert.deepEqual(codingsOf(headers), ["gzip", "br"]);
  assert.deepEqual(codingsOf([]), []);
});

test("a bomb is unpacked up to the limit, and costs no more", async () => {
  const once = gzipSync(Buffer.alloc(2 ** 27));
  for (const [body, codings] of [
    [once, ["gzip"]],
    [gzipSync(once), ["gzip", "gzip"]],
  ]) {
    const before = process.memoryUsage().rss;
    const { bytes: got, cut, error } = await unpack(new Uint8Array(body), codings, 2 ** 20);
    assert.deepEqual([got.length, cut, error], [2 ** 20, true, null]);
    assert.ok(process.memoryUsage().rss - before < 2 ** 26);
  }
});

test("what cannot be unpacked is said to be, with what could", async () => {
  const packed = new Uint8Array(gzipSync("hello ".repeat(2_000)));
  const cases = [
    [packed.subarray(0, 40), ["gzip"]],
    [bytes("no gzip"), ["gzip"]],
    [packed, ["compress"]],
    [packed, ["gzip", "gzip", "gzip", "gzip"]],
  ];
  const found = await Promise.all(cases.map(([body, codings]) => unpack(body, codings, 1e6)));
  assert.ok(found.every(({ error }) => error));
  assert.ok(new TextDecoder().decode(found[0].bytes).startsWith("hello hello"));
  assert.match(found[2].error, /cannot unpack/);
  assert.match(found[3].error, /too many/);
});

test("what was unpacked is said with its sizes", () => {
  const packing = { codings: ["gzip"], cut: false, error: null, sent: 1_234, unpacked: 8_000 };
  assert.match(packingText(packing), /^gzip, 1\.2 kB → 8\.0 kB\./);
  assert.match(packingText({ ...packing, cut: true }), /^gzip, 1\.2 kB → 8\.0 kB and more/);
  assert.match(packingText({ ...packing, error: "bad" }), /→ 8\.0 kB, then it is broken \(bad\)/);
  assert.match(packingText({ ...packing, unpacked: 0, error: "bad" }), /shown as it was sent \(bad\)/);
});

test("a parameter is that of its own name, also in a quoted text", () => {
  const body = bytes('--B\r\nContent-Disposition: form-data; name="a; filename=b"\r\n\r\nx\r\n--B--');
  assert.deepEqual(
    parseMultipart(body, "multipart/form-data; boundary=B").map(({ name, filename }) => [name, filename]),
    [["a; filename=b", null]],
  );
});

test("forms are read, broken escapes too", () => {
  assert.deepEqual(parseUrlencoded("a=1+2&b=%C3%A9&c&=x&d=%zz&a==3"), [
    ...[
      ["a", "1 2"],
      ["b", "é"],
      ["c", ""],
      ["", "x"],
      ["d", "%zz"],
      ["a", "=3"],
    ],
  ]);
  const body = bytes(
    '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--B\r\n' +
      'content-disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n\x01\x02\r\n--B--\r\n',
  );
  const parts = parseMultipart(body, 'multipart/form-data; boundary="B"');
  assert.deepEqual(
    parts.map(({ name, filename, type }) => [name, filename, type]),
    [
      ["a", null, null],
      ["f", "x.png", "image/png"],
    ],
  );
  assert.equal(new TextDecoder().decode(parts[0].bytes), "one");
  assert.throws(() => parseMultipart(body, "multipart/form-data"), /boundary/);
  assert.throws(() => parseMultipart(bytes("--B\r\n"), "multipart/form-data; boundary=B"), /end/);
});

// What is shown

test("rows sort by a column, absent ones last, the newest first among equals", () => {
  const rows = [
    row({ seq: 1, event_type: "b" }),
    row({ seq: 2 }),
    row({ seq: 3, event_type: "a" }),
    row({ seq: 4, event_type: "b" }),
  ];
  const sorted = (descending) => sortRows(rows, { column: "event_type", descending }).map(({ seq }) => seq);
  assert.deepEqual(sorted(false), [3, 4, 1, 2]);
  assert.deepEqual(sorted(true), [4, 1, 3, 2]);
});

test("rows group by entity, open ones with their rows", () => {
  const rows = [3, 2, 1].map((seq) => row({ seq, entity_id: seq === 2 ? null : "o1", entity_type: "order" }));
  const closed = groupLines(rows, new Set());
  assert.deepEqual(
    closed.map(({ label, count }) => [label, count]),
    [
      ["order o1", 2],
      ["No entity", 1],
    ],
  );
  assert.deepEqual(
    groupLines(rows, new Set([closed[0].key])).map((line) => line.seq ?? line.label),
    ["order o1", 3, 1, "No entity"],
  );
});

test("a silent kernel is said to be silent, and a closed lab to be closed for good", () => {
  const limits = { heartbeatSeconds: 2 };
  const [open, closed] = ["listening", "closed"].map((status) => ({ status, total: 3, rate: 5, file: "a.db" }));
  assert.equal(isAlive({ state: open, limits }, false, 6_000), true);
  assert.equal(isAlive({ state: open, limits }, false, 8_000), false);
  assert.equal(isAlive({ state: null, limits }, false, Infinity), false);
  // A closed one says nothing any more, but it still reads; not once its kernel has ended.
  assert.equal(isAlive({ state: closed, limits }, false, Infinity), true);
  assert.equal(isAlive({ state: closed, limits }, true, 0), false);

  assert.equal(statusOf(open, true, false), "listening");
  assert.equal(statusOf(open, true, true), "paused");
  assert.equal(statusOf(open, false, true), "waiting");
  for (const alive of [true, false]) assert.equal(statusOf(closed, alive, true), "closed");

  assert.equal(countsText(open, true), "3 deliveries · 5.0/s · a.db");
  assert.equal(countsText(open, false), "3 deliveries · a.db");
  assert.equal(countsText(closed, true), "3 deliveries · a.db");
});

test("times, sizes and code are written for people", () => {
  const at = Date.UTC(2026, 2, 1, 12, 30, 1, 250) * 1000;
  assert.equal(timeText(at), "12:30:01.250");
  assert.equal(timeText(at, at + 86_400e6), "03-01 12:30:01");
  assert.deepEqual([0, 999, 1_234, 56_789, 1_500_000].map(sizeText), [
    "0 B",
    "999 B",
    "1.2 kB",
    "57 kB",
    "1.5 MB",
  ]);
  assert.equal(viewCode(' type:order "a b" '), `lab.find('type:order "a b"')`);
  assert.equal(viewCode(" "), "lab.find()");
  assert.equal(textRepr("it's\n\u200b\x7f"), `"it's\\n\\u200b\\x7f"`);
});

test("an answer that is being made is told from a sender that left, and from what nobody knows", () => {
  const given = row({ status: null, stored_at: 50 });
  assert.equal(answerText(row({ status: 503 }), 10), "503");
  assert.equal(answerText(given, 10), "answering…");
  assert.equal(answerText(given, 60), "none");
  assert.equal(answerText(given, null), "none");
  assert.equal(answerText(row({ status: null, stored_at: 50, source: "recovered" }), 10), "none");
  assert.equal(answerText(row({ status: null, stored_at: 50, marks: 4 }), 10), "sender left");
});

test("a batch says how many events it has, a handshake that it has none", () => {
  const text = (event_count, event_type = null) => typeText({ event_count, event_type });
  assert.deepEqual([text(1, "a.b"), text(1)], ["a.b", ""]);
  assert.deepEqual([text(0, "url_verification"), text(0)], ["no event: url_verification", "no event"]);
  assert.deepEqual([text(2), text(1_200)], ["2 events", "1,200 events"]);
});

// What was pulled

const poller = {
  ...{ kind: "Poller", name: "orders", url: "http://h/orders", doing: "", counts: "3 polls" },
  ...{ next_at: 12_500_000, failing: false, error: "" },
};

test("a poller says when it polls next, by the kernel's clock, and why it fails", () => {
  assert.equal(pullParts(poller, 1_000_000).doing, "polls in 12 s");
  assert.equal(pullParts(poller, 13e6).doing, "polls now");
  assert.equal(pullParts({ ...poller, next_at: 3_601e6 }, 1e6).doing, "polls in 60 min");
  assert.equal(pullParts(poller, null).doing, "");
  const failing = pullParts({ ...poller, failing: true, error: "status 503" }, 1e6);
  assert.deepEqual([failing.sign, failing.said], ["✗ failing", "status 503"]);
  assert.equal(pullParts({ ...poller, error: "status 503" }, 1e6).said, "last error: status 503");
  const again = { ...poller, doing: "trying again in 2.0 s: status 503", error: "status 503" };
  assert.equal(pullParts({ ...again, failing: true }, 1e6).said, "");
  assert.equal(pullParts({ ...poller, doing: "stopped", next_at: null }, 1e6).sign, "○");
});

/** [key, depth, mark, before, after] of each line; null where a side has nothing. */
function besides(payload, patch, differing = false) {
  const root = bothSides(parseJson(JSON.stringify(payload)), parseJson(JSON.stringify(patch)));
  const shown = (node) => node && (node.text ?? `${node.kind} of ${node.entries.length}`);
  return sideLines(root, differing).map((line) => [
    ...[line.key, line.depth, line.mark, shown(line.before), shown(line.after)],
  ]);
}

test("payload and truth stand side by side, what the patch says marked", () => {
  const payload = { id: "1", status: "pending", note: null };
  const patch = [
    { op: "replace", path: "/status", value: "paid" },
    { op: "remove", path: "/note" },
    { op: "add", path: "/lines", value: [{ sku: "a" }] },
  ];
  assert.deepEqual(besides(payload, patch).slice(1), [
    ["id", 1, "", "1", "1"],
    ["status", 1, "changed", "pending", "paid"],
    ["note", 1, "removed", "null", null],
    ["lines", 1, "added", null, "array of 1"],
    [0, 2, "added", null, "object of 1"],
    ["sku", 3, "added", null, "a"],
  ]);
  assert.deepEqual(
    besides(payload, patch, true).map(([key]) => key),
    [null, "status", "note", "lines", 0, "sku"],
  );
});

test("elements that came and went do not make others differ, and moves are both", () => {
  const patch = [
    { op: "remove", path: "/0" },
    { op: "add", path: "/1", value: "x" },
    { op: "replace", path: "/2/k", value: 2 },
    { op: "add", path: "/-", value: "end" },
  ];
  assert.deepEqual(besides(["a", "b", { k: 1 }], patch).slice(1), [
    [0, 1, "removed", "a", null],
    [0, 1, "", "b", "b"],
    [1, 1, "added", null, "x"],
    [2, 1, "", "object of 1", "object of 1"],
    ["k", 2, "changed", "1", "2"],
    [3, 1, "added", null, "end"],
  ]);
  const moved = besides({ "a/b": { k: 1 }, "~": 2 }, [
    { op: "replace", path: "/a~1b/k", value: 3 },
    { op: "move", from: "/a~1b", path: "/c" },
    { op: "replace", path: "/~0", value: {} },
  ]);
  assert.deepEqual(moved.slice(1), [
    ["a/b", 1, "removed", "object of 1", null],
    ["k", 2, "removed", "1", null],
    ["~", 1, "changed", "2", "object of 0"],
    ["c", 1, "added", null, "object of 1"],
    ["k", 2, "added", null, "3"],
  ]);
});

test("keys that would be something else in JavaScript are keys", () => {
  const payload = JSON.parse('{"__proto__": 1, "constructor": 2}');
  const patch = [
    { op: "replace", path: "/__proto__", value: 3 },
    { op: "add", path: "/hasOwnProperty", value: 4 },
  ];
  assert.deepEqual(
    besides(payload, patch, true).map(([key]) => key),
    [null, "__proto__", "hasOwnProperty"],
  );
});

test("a patch that does not fit, or is too long, is refused and not guessed at", () => {
  assert.throws(() => besides({}, [{ op: "remove", path: "/a/b" }]), /does not fit/);
  assert.throws(() => besides({}, [{ op: "test", path: "", value: 1 }]), /test/);
  const long = Array.from({ length: 2_001 }, () => ({ op: "add", path: "/a", value: 1 }));
  assert.throws(() => besides({}, long), RangeError);
});

test("many differences in a long list are marked in no time", () => {
  const items = Array.from({ length: 60_000 }, (_, at) => at);
  const patch = Array.from({ length: 2_000 }, () => ({ op: "remove", path: "/5" }));
  const lines = besides(items, patch, true);
  assert.equal(lines.length, 2_001);
});

test("a fetch's verdict is in words", () => {
  const fetch = { error: null, state_chars: 5, status: 200, superseded: true };
  assert.match(fetchVerdict(fetch).join(), /superseded.*newer/);
  assert.match(fetchVerdict({ ...fetch, superseded: false })[0], /not superseded/);
  assert.match(fetchVerdict({ ...fetch, superseded: null }).join(), /unknown.*cannot be told/);
  assert.match(fetchVerdict({ ...fetch, state_chars: null, status: 404 }).join(), /not there.*404/);
  assert.deepEqual(fetchVerdict({ ...fetch, error: "status 503" }), ["✗ not fetched", "status 503"]);
});

const truth = (said) => bytes(JSON.stringify({ at: 99, count: 1, fetches: [], outlook: "", ...said }));

test("what was fetched is asked for once, and again when there is more", () => {
  const truths = new Lookups("truth");
  const ask = (seq, now = 0, whole = false, makers = "[]") => truths.question(seq, whole, makers, now);
  assert.deepEqual(ask(1), { kind: "truth", seq: 1, whole: false });
  assert.equal(ask(1), null);
  truths.take({ seq: 1, whole: false }, truth());
  assert.equal(ask(1), null);
  truths.hear({ after: 0, through: 7, seqs: [2] });
  assert.equal(ask(1), null);
  truths.hear({ after: 7, through: 9, seqs: [1] });
  const { version } = truths.get(1);
  assert.ok(ask(1));
  truths.take({ seq: 1, whole: false }, truth());
  assert.notEqual(truths.get(1).version, version);
  truths.expect(9);
  assert.equal(ask(1), null);
  truths.expect(12); // of 10 to 12 nothing was heard
  assert.ok(ask(1));
  truths.take({ seq: 1, whole: false }, truth());
  truths.hear({ after: 13, through: 14, seqs: [3] });
  assert.ok(ask(1, 1), "a message between them was lost");
  assert.ok(ask(1, 20_000), "an answer was lost");
});

test("an answer that was overtaken is not the last word", () => {
  const truths = new Lookups("truth");
  truths.expect(4);
  assert.ok(truths.question(1, false, "[]", 0));
  truths.hear({ after: 4, through: 5, seqs: [1] });
  truths.take({ seq: 1, whole: false }, truth({ at: 4, count: 0 }));
  assert.ok(truths.question(1, false, "[]", 0), "it was looked up before what was told of");
  truths.take({ seq: 1, whole: false }, truth({ at: 5 }));
  truths.take({ seq: 1, whole: false }, truth({ at: 4, count: 0 }));
  assert.equal(truths.get(1).answer.count, 1);
  assert.equal(truths.question(1, false, "[]", 0), null);
});

test("what is shown whole stays whole; nothing may become something", () => {
  const truths = new Lookups("truth");
  truths.take({ seq: 1, whole: false }, truth({ count: 0, outlook: "Nothing is fetched" }));
  assert.equal(truths.question(1, false, '["a"]', 0)?.seq, 1, "there is a fetcher now");
  truths.take({ seq: 1, whole: true }, truth());
  truths.take({ seq: 1, whole: false }, truth());
  assert.equal(truths.get(1).whole, true);
  assert.deepEqual(truths.question(1, false, '["a"]', 1), { kind: "truth", seq: 1, whole: true });
  truths.fail(1, "no such file");
  assert.equal(truths.get(1).error, "no such file");
  assert.equal(truths.question(1, false, '["a"]', 2), null);
  for (let seq = 2; seq < 80; seq++) truths.take({ seq, whole: false }, truth());
  assert.equal(truths.get(1).version, 0, "the oldest went");
});

// What was sent on

test("attempts stand by target, the newest first; a target keeps its place", () => {
  const tries = [4, 3, 2, 1].map((id) => ({ id, target: id % 2 ? "one" : "two" }));
  const shown = byTarget(tries).map(({ target, tries: own }) => [target, own.map(({ id }) => id)]);
  assert.deepEqual(shown, [
    ["one", [3, 1]],
    ["two", [4, 2]],
  ]);
  assert.deepEqual(byTarget([]), []);
  assert.equal(byTarget([{ target: "__proto__" }])[0].target, "__proto__");
});

test("what differs between two targets' answers is said in words", () => {
  const answer = (given) => ({ status: 200, headers: [], body: "e30=", body_bytes: 2, left_out: 0, ...given });
  const one = answer({ headers: [["A", "1"], ["B", "x"], ["B", "y"]] });
  const two = answer({ status: 503, headers: [["b", "x"], ["a", "1"], ["C", ""]], body: "W10=" });
  assert.deepEqual(unlike(two, one), { status: true, headers: ["b", "c"], body: true });
  assert.equal(
    unlikeText(unlike(two, one), "http://one/"),
    "≠ Differs from the answer of http://one/: the status; the headers b, c; the body.",
  );
  assert.match(unlikeText(unlike(one, { ...one }), "one"), /^= Answered as one did\.$/);
  const large = answer({ body: null, left_out: 2 });
  assert.equal(unlike(large, one).body, null);
  assert.match(unlikeText(unlike(large, one), "one"), /header.* a, b\. Whether the body/);
  assert.equal(unlike(answer({ body: null, body_bytes: 9, left_out: 9 }), one).body, true);
  assert.equal(unlike(answer({ status: null }), one), null);
});

test("an attempt's verdict is in words, and says who made it", () => {
  assert.deepEqual(tryVerdict({ status: 204, error: null }), ["✓ 204", ""]);
  assert.deepEqual(tryVerdict({ status: 302, error: null }), ["✗ 302", ""]);
  assert.deepEqual(tryVerdict({ status: 200, error: "broke off" }), ["✗ 200", "broke off"]);
  assert.deepEqual(tryVerdict({ status: null, error: "too late" }), ["✗ no answer", "too late"]);
  assert.equal(senderText("forward:to:me"), "forward to:me");
  assert.equal(senderText("replay:0f0f"), "replay");
});

test("edited headers say what has changed, and nothing of what has not", () => {
  const pairs = [
    ["Host", "lab"],
    ["X-A", "1"],
    ["X-A", "2"],
    ["Authorization", "***"],
    ["X-B", "b: c"],
  ];
  const lines = headerLines(pairs);
  assert.equal(lines, "X-A: 1\nX-A: 2\nAuthorization: ***\nX-B: b: c");
  const changes = (from, to) => headerChanges(lines, lines.replace(from, to));
  assert.deepEqual(changes("", ""), { changes: {}, error: "" });
  assert.deepEqual(changes("X-B: b: c", "x-b:  d ").changes, { "x-b": "d" });
  assert.deepEqual(changes("\nX-A: 2", "").changes, { "X-A": "1" });
  assert.deepEqual(changes("Authorization: ***\n", "\n  \n").changes, { Authorization: null });
  assert.deepEqual(changes("X-B", "__proto__").changes, JSON.parse('{"X-B": null, "__proto__": "b: c"}'));
  assert.match(changes("X-A: 2", "X-A: 3").error, /X-A.*several times/);
  assert.match(changes("X-B: b: c", "what").error, /“what” is no header/);
});

test("a delivery can be signed anew where the kernel has the secret", () => {
  const signed = row({ provider: "github", verified: "valid" });
  assert.equal(canSign({ signers: ["github"] }, signed), true);
  assert.equal(canSign({ signers: ["stripe"] }, signed), false);
  assert.equal(canSign(null, signed), false);
  assert.equal(canSign({ signers: ["github"] }, { ...signed, verified: "unchecked" }), false);
});

test("a body is edited where it is text that can be sent again", () => {
  const edit = (body, type = "text/plain", packing = null) =>
    editableBody(row({ content_type: type }), { bytes: typeof body === "string" ? bytes(body) : body, packing });
  assert.deepEqual(edit("{}"), { text: "{}", why: "" });
  assert.match(edit(new Uint8Array([0xff, 0x00, 0x01])).why, /not text/);
  assert.match(edit(new Uint8Array([0xe9]), "text/plain; charset=latin1").why, /not in UTF-8/);
  assert.match(edit("{}", "text/plain", { cut: true }).why, /unpacked/);
  assert.match(edit("x".repeat(1_000_001)).why, /too large/);
  assert.equal(withLineEnds("a\nb\n", "x\r\ny"), "a\r\nb\r\n");
  assert.equal(withLineEnds("a\nb", "x\r\ny\nz"), "a\nb");
  assert.equal(withLineEnds("a\nb", "xy"), "a\nb");
});

test("a delivery is held against its first, or what came before of its entity or type", () => {
  const rows = [
    row({ seq: 1, entity_id: "a", event_type: "x", duplicate_of: null }),
    row({ seq: 2, entity_id: "b", event_type: "y", duplicate_of: null }),
    row({ seq: 3, entity_id: "a", event_type: "y", duplicate_of: null }),
  ];
  const other = (more) => counterpart(row({ seq: 4, duplicate_of: null, ...more }), rows);
  assert.equal(other({ entity_id: "b" }), 2);
  assert.equal(other({ entity_id: "c", event_type: "x" }), 1);
  assert.equal(other({}), 3);
  assert.equal(other({ duplicate_of: 1, entity_id: "b" }), 1);
  assert.equal(counterpart(rows[0], rows), null);
});

/** A case's row as this page holds it. */
function held(given) {
  const body = given.body_base64
    ? new Uint8Array(Buffer.from(given.body_base64, "base64"))
    : bytes(given.body ?? "");
  const headers = given.headers_json ?? "[]";
  const received_at = parseInstant(given.received_at);
  return [row({ ...given, received_at, body_bytes: body.length }), { headers, masked: false, body }];
}
