"use strict";
// What this adds to the page: the list of every case with its filter, and links that open their case.
(() => {
  const PER_STEP = 60;
  const MOST_HITS = 2000;
  const byId = (id) => document.getElementById(id);
  const [list, more, none, count, form] = ["list", "more", "none", "count", "filter"].map(byId);
  const text = byId("text");
  const choices = [...form.querySelectorAll("select")];
  const criteria = choices.filter((choice) => choice.id === "criterion").flatMap((choice) => [...choice.options]);
  let cases = [];
  let found = [];
  let shown = 0;
  let unknown = ""; // what an address asks for, and no case has
  const hits = CSS.highlights ? new Highlight() : null;

  // Everything that models wrote passes through here, and nothing of it is ever read as HTML.
  function node(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }

  function read() {
    for (const island of document.querySelectorAll("script.island")) {
      for (const one of JSON.parse(island.textContent)) cases.push(one);
      island.remove();
    }
  }

  function key(arm) {
    const mark = node("span", `key ${arm}`);
    mark.setAttribute("aria-hidden", "true");
    return mark;
  }

  function answer(segments) {
    const pre = node("pre", "answer");
    segments.forEach((part, place) => pre.append(place % 2 ? node("mark", "", part) : part));
    return pre;
  }

  function check([passed, name, said, depth]) {
    const [kind, sign] = passed === null ? ["aside", "·"] : passed ? ["pass", "✓"] : ["fail", "✕"];
    const row = node("li", `${kind} depth${depth}`);
    row.append(node("b", "", `${sign} ${name}`), " ", node("span", "", said));
    return row;
  }

  function side(arm, trial, same) {
    const outcome = node("b", `outcome ${trial.outcome}`, trial.outcome);
    const head = node("h4", "", key(arm), arm, outcome, node("small", "", trial.took));
    const made = node("div", `side ${arm}`, head);
    if (trial.error) made.append(node("pre", "error", trial.error));
    if (trial.answer === null) made.append(node("p", "none", "no answer arrived"));
    else if (same && arm === "baseline") made.append(node("p", "none", "the same answer as the model's"));
    else made.append(answer(trial.answer));
    if (trial.checks.length) made.append(node("ul", "checks", ...trial.checks.map(check)));
    return made;
  }

  function pair(one) {
    const arms = ["model", "baseline"].filter((arm) => one[arm]);
    const sides = node("div", "sides", ...arms.map((arm) => side(arm, one[arm], one.same)));
    return one.label ? [node("h4", "pair", one.label), sides] : [sides];
  }

  function where(one) {
    const link = node("a", "", "link");
    link.href = `#${one.anchor}`;
    const tags = one.tags.length ? ` · tags ${one.tags.join(", ")}` : "";
    return node("p", "where", `${one.where} · suite ${one.suite} · ${one.role}${tags} · `, link);
  }

  function body(one) {
    const title = one.turns ? `Prompts of a conversation of ${one.turns} turns` : "Prompt";
    const made = node("div", "body", where(one), node("h4", "", title), node("pre", "prompt", one.prompt));
    made.append(...one.pairs.flatMap(pair));
    if (one.more) made.append(node("p", "where", `${one.more} more pairs of answers: see the JSON report`));
    if (one.votes.length) {
      const votes = one.votes.map(([who, what]) => `${who}: ${what}`).join(", ");
      made.append(node("p", "votes", `People: ${votes}`));
    }
    return made;
  }

  // Most are never opened, so what is inside is made when one is.
  function row(one) {
    const summary = node(
      "summary",
      "",
      node("b", `kind ${one.kind.replace(" ", "-")}`, one.kind),
      " ",
      node("span", "id", one.id),
      " ",
      node("span", "category", one.category),
      " ",
      node("span", "reason", one.reason),
    );
    const made = node("details", `case ${one.kind.replace(" ", "-")}`, summary);
    made.dataset.anchor = one.anchor;
    made.addEventListener("toggle", () => fill(made, one));
    return made;
  }

  function fill(details, one) {
    if (!details.open || details.querySelector(".body")) return;
    const made = body(one);
    details.append(made);
    highlight(made);
  }

  // Texts to search in are made once, when somebody first searches.
  function haystack(one) {
    if (one.hay === undefined) {
      const said = one.pairs.flatMap((each) => [each.model, each.baseline]).filter(Boolean);
      const texts = said.flatMap((trial) => [...(trial.answer || []), "\n", trial.error || ""]);
      one.hay = [one.id, one.prompt, one.reason, one.tags.join(" "), texts.join("")].join("\n").toLowerCase();
    }
    return one.hay;
  }

  function fits(one, field, value) {
    if (field === "tag") return one.tags.includes(value);
    if (field === "criterion") return one.criteria.some((place) => criteria[place + 1].value === value);
    return one[field] === value;
  }

  function words() {
    return text.value.toLowerCase().split(/\s+/).filter(Boolean);
  }

  function filter() {
    const wanted = words();
    const chosen = choices.filter((choice) => choice.value).map((choice) => [choice.id, choice.value]);
    found = cases.filter(
      (one) =>
        chosen.every(([field, value]) => fits(one, field, value)) &&
        wanted.every((word) => haystack(one).includes(word)),
    );
    if (unknown) found = [];
    shown = 0;
    list.replaceChildren();
    if (hits) hits.clear();
    step();
    none.hidden = found.length > 0;
    none.textContent = unknown ? `No case has ${unknown}.` : "No case matches.";
    const total = Number(byId("cases").dataset.total);
    const absent = total > cases.length ? ` (${total - cases.length} more only in the JSON report)` : "";
    const all = found.length === cases.length;
    count.textContent = (all ? `${cases.length}` : `${found.length} of ${cases.length}`) + absent;
  }

  function step() {
    const rows = found.slice(shown, shown + PER_STEP).map(row);
    list.append(...rows);
    rows.forEach(highlight);
    shown = Math.min(shown + PER_STEP, found.length);
    more.hidden = shown >= found.length;
    more.textContent = `Show more (${found.length - shown} left)`;
  }

  // What was searched for is marked where it is shown, by browsers that can without a change of the page.
  function highlight(within) {
    const wanted = hits ? words() : [];
    const texts = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
    while (wanted.length && texts.nextNode()) {
      const said = texts.currentNode.data.toLowerCase();
      if (said.length !== texts.currentNode.data.length) continue; // then places are others, too
      for (const word of wanted) {
        for (let place = said.indexOf(word); place >= 0; place = said.indexOf(word, place + word.length)) {
          if (hits.size >= MOST_HITS) return;
          const range = new Range();
          range.setStart(texts.currentNode, place);
          range.setEnd(texts.currentNode, place + word.length);
          hits.add(range);
        }
      }
    }
  }

  // The filter stands in the address, so that what is shown can be sent to others.
  function address() {
    const fields = new URLSearchParams();
    for (const field of [text, ...choices]) if (field.value) fields.set(field.id, field.value);
    const told = String(fields);
    if (!told && !location.hash.startsWith("#cases?")) return;
    try {
      history.replaceState(null, "", told ? `#cases?${told}` : "#cases");
    } catch {
      // A frame that shows the page may forbid it.
    }
  }

  function changed() {
    filter();
    address();
  }

  function choose(fields) {
    const wanted = (field) => fields.get(field.id) || "";
    text.value = wanted(text);
    // The most frequent values alone can be chosen, and a link may lead to another.
    for (const choice of choices) {
      const value = wanted(choice);
      choice.value = value;
      if (choice.value !== value && cases.some((one) => fits(one, choice.id, value))) {
        choice.append(new Option(value, value, false, true));
      }
    }
    const absent = choices.find((choice) => choice.value !== wanted(choice));
    unknown = absent ? `the ${absent.id} “${wanted(absent)}”` : "";
    filter();
    unknown = "";
  }

  // A link leads to the full text above if the case stands there, else to its place in the list.
  function follow() {
    const anchor = location.hash.slice(1);
    if (anchor.startsWith("cases?")) {
      choose(new URLSearchParams(anchor.slice("cases?".length)));
      settle(byId("cases"), 6);
    }
    // Back to where nothing was filtered, or on to every case.
    if (anchor === "" || anchor === "cases") choose(new URLSearchParams());
    if (!anchor.startsWith("case-")) return;
    const target = document.querySelector(`#changes details[data-anchor="${CSS.escape(anchor)}"]`) || placed(anchor);
    if (!target) return;
    target.open = true;
    target.querySelector("summary").focus({ preventScroll: true });
    settle(target, 6);
  }

  // Rows above are of a guessed height until they are near, so the place is looked for once more.
  function settle(target, tries) {
    target.scrollIntoView({ block: "start" });
    if (tries > 0) requestAnimationFrame(() => settle(target, tries - 1));
  }

  function placed(anchor) {
    if (!cases.some((one) => one.anchor === anchor)) return null;
    if (!found.some((one) => one.anchor === anchor)) {
      // Not by a reset, whose event would make the list anew, and closed, once more.
      choose(new URLSearchParams());
    }
    const place = found.findIndex((one) => one.anchor === anchor);
    while (shown <= place) step();
    const details = list.children[place];
    details.open = true;
    fill(details, found[place]);
    return details;
  }

  // On paper changes are unfolded, and afterwards as they were.
  let folded = [];
  function unfold() {
    folded = [...document.querySelectorAll("#changes details:not([open])")];
    for (const details of folded) details.open = true;
  }

  function fold() {
    for (const details of folded) details.open = false;
    folded = [];
  }

  function start() {
    read();
    byId("fallback").hidden = true; // but on paper
    form.hidden = false;
    choose(new URLSearchParams());
    let waiting = 0;
    text.addEventListener("input", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(changed);
    });
    for (const choice of choices) choice.addEventListener("change", changed);
    form.addEventListener("reset", () => setTimeout(changed));
    for (const link of document.querySelectorAll("a[data-filter]")) {
      link.hash = link.dataset.filter;
      // The second time in a row its fragment is the one that is there, and no other one follows.
      link.addEventListener("click", () => link.hash === location.hash && follow());
    }
    if (hits) CSS.highlights.set("found", hits);
    form.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", step);
    window.addEventListener("hashchange", follow);
    window.addEventListener("beforeprint", unfold);
    window.addEventListener("afterprint", fold);
    if (location.hash) follow();
  }

  // After the first paint: the verdict is there before the cases are read.
  requestAnimationFrame(() => setTimeout(start));
})();
