// The live comparison in the browser: shows what the kernel says, and says when it says no more.
//
// All that came from the wire is text: it goes into the page as textContent and in no other way.
// What is exported beside the default is what `node --test` looks at.

const SILENCE_MS = 7_000; // the kernel is heard from every two seconds
const TICK_MS = 1_000;
const SPOKEN_MS = 10_000; // a screen reader is told no more often than this

const STATUSES = {
  live: "Live",
  stopped: "Stopped",
  waiting: "Waiting for the kernel",
  failed: "Cannot compare now",
};

/** What is so: what the kernel said last, and whether it still speaks. */
export function statusOf(said, silenceMs, ended = false) {
  if (said.status !== "live") return "stopped";
  if (ended || silenceMs > SILENCE_MS) return "waiting";
  return said.failure ? "failed" : "live";
}

/** How old the figures are, in words. */
export function whenText(said, status) {
  const as = `as of ${said.compared_at}`;
  if (status === "live") return said.fresh ? `${as}, nothing new since` : `${as}, more has come since`;
  if (status === "stopped") return said.fresh ? as : `${as}; more had come since`;
  return `${as}; what came since is not here`;
}

/** What the user has to know, each one a sentence. */
export function noticesOf(said, status) {
  const gone = "The kernel is busy, has ended or was restarted: run the cell again if this stays.";
  const notices = [status === "waiting" ? gone : "", said.failure, status === "live" ? said.pace : ""];
  return notices.filter((text) => text);
}

/** What a screen reader is told now: the newest sentence, or null for nothing (yet). */
export function spoken(text, last, sinceMs) {
  return text === last || sinceMs < SPOKEN_MS ? null : text;
}

// The page

function h(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") element.textContent = value;
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Change text only where it differs: what does not change costs no layout. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function table(label, heads, rows) {
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col", text })));
  return h("table", { "aria-label": label }, h("thead", {}, head), h("tbody", {}, ...rows));
}

function sideRow([name, pull, push]) {
  return h("tr", {}, h("th", { scope: "row", text: name }), h("td", { text: pull }), h("td", { text: push }));
}

function verdictRow([name, count, meaning]) {
  const cells = [h("td", { class: "whl-live-count", text: count }), h("td", { text: meaning })];
  const given = { "data-verdict": name, "data-some": count === "0" ? null : "" };
  return h("tr", given, h("th", { scope: "row", text: name }), ...cells);
}

function pollerLine({ name, doing, last, error }) {
  const line = h("li", {}, h("span", { class: "whl-live-wire", text: name }));
  line.append(h("span", { class: "whl-live-dim", text: ` · ${last} · ${doing}` }));
  if (error) line.append(" · ", h("span", { class: "whl-live-error whl-live-wire", text: error }));
  return line;
}

class View {
  constructor(model, el) {
    this.model = model;
    this.heard = performance.now();
    this.spokenAt = -Infinity;
    this.shown = "";
    this.build(el);
    this.onHeard = () => this.hear();
    this.onEnd = () => this.end();
    model.on("change:said", this.onHeard);
    model.on("change:beat", this.onHeard);
    // The notebook says so when the kernel that this belongs to has ended.
    model.on("comm_live_update", this.onEnd);
    this.timer = setInterval(() => this.update(), TICK_MS);
    this.update();
  }

  leave() {
    clearInterval(this.timer);
    this.model.off("change:said", this.onHeard);
    this.model.off("change:beat", this.onHeard);
    this.model.off("comm_live_update", this.onEnd);
  }

  hear() {
    this.heard = performance.now();
    this.ended = false;
    this.update();
  }

  end() {
    this.ended = true;
    this.update();
  }

  build(el) {
    this.status = h("span", { class: "whl-live-status" });
    this.file = h("span", { class: "whl-live-dim whl-live-wire" });
    this.when = h("span", { class: "whl-live-dim whl-live-when" });
    this.notices = h("div", {});
    this.verdict = h("p", { class: "whl-live-verdict" });
    this.figures = h("div", { class: "whl-live-both" });
    this.pollers = h("ul", { class: "whl-live-pollers", "aria-label": "Pollers" });
    this.voice = h("div", { class: "whl-live-hidden", role: "status", "aria-live": "polite" });
    const dot = h("span", { class: "whl-live-dot", "aria-hidden": "true" });
    const bar = h("div", { class: "whl-live-bar" }, dot, this.status, this.file, this.when);
    const parts = [bar, this.notices, this.verdict, this.figures, this.pollers, this.voice];
    this.el = h("div", { class: "whl-live", role: "region", "aria-label": "Live comparison" }, ...parts);
    el.append(this.el);
  }

  update() {
    const said = this.model.get("said");
    const status = statusOf(said, performance.now() - this.heard, this.ended);
    this.el.dataset.status = status;
    setText(this.status, STATUSES[status]);
    setText(this.file, `webhooks against polls, ${said.file}`);
    setText(this.when, whenText(said, status));
    setText(this.verdict, said.verdict);
    this.speak(`${STATUSES[status]}. ${said.verdict}`);
    this.showRest(said, noticesOf(said, status));
  }

  showRest(said, notices) {
    const text = JSON.stringify([notices, said.sides, said.verdicts, said.pollers]);
    if (text === this.shown) return;
    this.shown = text;
    const notice = (each) => h("p", { class: "whl-live-notice whl-live-wire", text: each });
    this.notices.replaceChildren(...notices.map(notice));
    this.figures.replaceChildren(
      table("Both ways", ["", "API (pull)", "Webhook (push)"], said.sides.map(sideRow)),
      table("Verdicts", ["verdict", "changes", ""], said.verdicts.map(verdictRow)),
    );
    this.pollers.replaceChildren(...said.pollers.map(pollerLine));
    this.pollers.hidden = !said.pollers.length;
  }

  speak(text) {
    const now = performance.now();
    const next = spoken(text, this.voice.textContent, now - this.spokenAt);
    if (next === null) return;
    this.spokenAt = now;
    this.voice.textContent = next;
  }
}

function render({ model, el }) {
  const view = new View(model, el);
  return () => view.leave();
}

export default { render };
