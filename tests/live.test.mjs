// The browser's part of the live comparison, without a browser: `node --test tests/`.

import assert from "node:assert/strict";
import test from "node:test";

// The installed one, where pytest runs this; else that of the checkout.
const live = process.env.WEBHOOKLAB_LIVE ?? new URL("../webhooklab/live/live.mjs", import.meta.url);
const { noticesOf, spoken, statusOf, whenText } = await import(live);

const said = (more) => ({
  ...{ status: "live", fresh: true, failure: "", pace: "", compared_at: "2026-01-01 00:00:00 UTC" },
  ...more,
});

test("it is live while the kernel speaks, and waits when it is silent or has ended", () => {
  assert.equal(statusOf(said(), 0), "live");
  assert.equal(statusOf(said(), 5_000), "live");
  assert.equal(statusOf(said(), 8_000), "waiting");
  assert.equal(statusOf(said(), 0, true), "waiting");
});

test("what was stopped stays so, however long ago", () => {
  assert.equal(statusOf(said({ status: "stopped" }), 1e9, true), "stopped");
});

test("a comparison that fails is said to, unless the kernel is gone", () => {
  assert.equal(statusOf(said({ failure: "The disk is full." }), 0), "failed");
  assert.equal(statusOf(said({ failure: "The disk is full." }), 8_000), "waiting");
});

test("figures say how old they are, and whether more has come", () => {
  assert.match(whenText(said(), "live"), /^as of 2026-01-01 00:00:00 UTC, nothing new since$/);
  assert.match(whenText(said({ fresh: false }), "live"), /more has come since$/);
  assert.match(whenText(said(), "waiting"), /what came since is not here$/);
  assert.equal(whenText(said(), "stopped"), "as of 2026-01-01 00:00:00 UTC");
  assert.match(whenText(said({ fresh: false }), "stopped"), /more had come since$/);
});

test("notices: a silent kernel, what failed, and how seldom it compares", () => {
  const slow = said({ pace: "Comparing takes 2 s here." });
  assert.deepEqual(noticesOf(slow, "live"), ["Comparing takes 2 s here."]);
  assert.deepEqual(noticesOf(slow, "stopped"), []);
  assert.deepEqual(noticesOf(said({ failure: "Full." }), "failed"), ["Full."]);
  assert.match(noticesOf(said(), "waiting")[0], /kernel/);
});

test("a screen reader is told what is new, and not every second", () => {
  assert.equal(spoken("a", "", Infinity), "a");
  assert.equal(spoken("a", "a", Infinity), null);
  assert.equal(spoken("b", "a", 1_000), null);
  assert.equal(spoken("b", "a", 10_000), "b");
});
