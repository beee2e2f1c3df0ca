
"use strict";
// Everything that a model wrote enters the page by textContent, and by nothing else.
(() => {
  const sheet = JSON.parse(document.getElementById("sheet").textContent);
  const byId = (id) => document.getElementById(id);
  const CHOICES = ["A", "B", "tie", "both bad"];
  const LABELS = { A: "A", B: "B", tie: "Tie", "both bad": "Both bad" };
  const QUESTIONS = [
    { key: "overall", label: "Overall, which is better?", hint: "" },
    ...sheet.questions,
  ];
  const STORE = `ftgate-review/${sheet.batch}/${sheet.reviewer}`;
  // Whoever left the page open over lunch did not read that long.
  const LONGEST_LOOK_S = 300;
  // Beyond this the browser would stop answering: marks are then left out.
  const MOST_COMPARED = 4e6;

  let state = { at: -1, votes: {} };
  let current = 0;
  let withMarks = false;
  let lookedSince = null;
  let shown = "";
  const undone = [];

  // What is kept: after every change, so that a closed tab loses nothing.

  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(STORE) || "null");
      if (kept && typeof kept.votes === "object" && Number.isInteger(kept.at)) state = kept;
    } catch (error) {
      warn("This browser can't keep your votes. Save them to a file before you close this page.");
    }
  }

  function keep() {
    try {
      localStorage.setItem(STORE, JSON.stringify(state));
    } catch (error) {
      warn("This browser can't keep your votes. Save them to a file before you close this page.");
    }
  }

  function warn(text) {
    byId("warning").textContent = text;
    byId("warning").hidden = false;
  }

  function say(text) {
    byId("said").textContent = text;
  }

  let hiding = 0;
  function toast(text) {
    say(text);
    const box = byId("toast");
    box.textContent = text;
    box.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { box.hidden = true; }, 4000);
  }

  // Votes.

  const item = () => sheet.items[state.at];
  const voteOf = (id) => state.votes[id] || { criteria: {}, notes: "", seconds: 0 };
  const answerTo = (vote, key) => (key === "overall" ? vote.overall : vote.criteria[key]);
  const voted = () => sheet.items.filter((one) => voteOf(one.id).overall).length;

  function change(id, make) {
    const before = voteOf(id);
    const after = { ...before, criteria: { ...before.criteria } };
    make(after);
    state.votes[id] = after;
    keep();
    return before;
  }

  function choose(key, choice) {
    const id = item().id;
    if (answerTo(voteOf(id), key) === choice) return;
    const before = change(id, (vote) => {
      if (key === "overall") vote.overall = choice;
      else vote.criteria[key] = choice;
    });
    undone.push({ at: state.at, key, before: answerTo(before, key) });
    const label = key === "overall" ? "Overall" : QUESTIONS.find((one) => one.key === key).label;
    say(`${label}: ${LABELS[choice]}`);
    showVote();
  }

  function undo() {
    const last = undone.pop();
    if (!last) return;
    if (state.at !== last.at) go(last.at);
    change(item().id, (vote) => {
      if (last.key === "overall") vote.overall = last.before;
      else if (last.before) vote.criteria[last.key] = last.before;
      else delete vote.criteria[last.key];
    });
    current = QUESTIONS.findIndex((one) => one.key === last.key);
    showVote();
    toast(`Undone: pair ${state.at + 1}, ${last.key === "overall" ? "overall" : QUESTIONS[current].label}`);
  }

  function countLook() {
    if (lookedSince === null || !shown) return;
    const seconds = Math.min((performance.now() - lookedSince) / 1000, LONGEST_LOOK_S);
    lookedSince = null;
    change(shown, (vote) => { vote.seconds = Math.round((vote.seconds + seconds) * 10) / 10; });
  }

  function startLook() {
    lookedSince = document.visibilityState === "visible" && !byId("pair").hidden ? performance.now() : null;
  }

  function save() {
    countLook();
    startLook();
    const votes = sheet.items
      .map((one) => ({ one, vote: voteOf(one.id) }))
      .filter(({ vote }) => vote.overall || vote.notes || Object.keys(vote.criteria).length)
      .map(({ one, vote }) => ({
        id: one.id,
        digest: one.digest,
        overall: vote.overall || "",
        criteria: vote.criteria,
        notes: vote.notes,
        seconds: vote.seconds,
      }));
    const file = {
      schema: "ftgate.votes/1",
      batch: sheet.batch,
      reviewer: sheet.reviewer,
      saved: new Date().toISOString(),
      votes,
    };
    const link = document.createElement("a");
    const name = `votes-${sheet.reviewer}.json`;
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1) + "\n"], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    toast(`Saved as ${name}: ${voted()} of ${sheet.items.length} pairs have a vote`);
  }

  // Building what is shown.

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // The longest common subsequence of words; what is not in it is marked.
  function words(text) {
    return text.match(/\s+|[\p{L}\p{N}_]+(?:[-'’.,][\p{L}\p{N}_]+)*|[^\s\p{L}\p{N}_]/gu) || [];
  }

  function differing(own, other) {
    let start = 0;
    while (start < own.length && start < other.length && own[start] === other[start]) start += 1;
    let end = 0;
    const most = Math.min(own.length, other.length) - start;
    while (end < most && own[own.length - 1 - end] === other[other.length - 1 - end]) end += 1;
    const mine = own.slice(start, own.length - end);
    const theirs = other.slice(start, other.length - end);
    if (mine.length * theirs.length > MOST_COMPARED) return null;
    const width = theirs.length + 1;
    const table = new Uint16Array((mine.length + 1) * width);
    for (let row = mine.length - 1; row >= 0; row -= 1) {
      for (let column = theirs.length - 1; column >= 0; column -= 1) {
        table[row * width + column] = mine[row] === theirs[column]
          ? table[(row + 1) * width + column + 1] + 1
          : Math.max(table[(row + 1) * width + column], table[row * width + column + 1]);
      }
    }
    const found = new Array(own.length).fill(false);
    let row = 0;
    let column = 0;
    while (row < mine.length) {
      if (column < theirs.length && mine[row] === theirs[column]) { row += 1; column += 1; }
      else if (column < theirs.length && table[row * width + column + 1] >= table[(row + 1) * width + column]) column += 1;
      else { found[start + row] = true; row += 1; }
    }
    // The space between two marked words is marked as well: one mark is read more easily than two.
    for (let at = 1; at < own.length - 1; at += 1) {
      if (found[at - 1] && found[at + 1] && !own[at].trim()) found[at] = true;
    }
    return found;
  }

  function fill(box, text, other) {
    const own = withMarks ? words(text) : [];
    const marks = withMarks ? differing(own, words(other || "")) : null;
    if (!marks) { box.textContent = text; return withMarks; }
    for (let at = 0; at < own.length;) {
      let end = at;
      while (end < own.length && marks[end] === marks[at]) end += 1;
      const part = own.slice(at, end).join("");
      box.append(marks[at] ? element("mark", "", part) : document.createTextNode(part));
      at = end;
    }
    return false;
  }

  function call(one, other) {
    const box = element("div", "call");
    const table = element("table");
    const caption = element("caption", "", "Calls ");
    const name = element("code");
    fill(name, one.name, other ? other.name : "");
    caption.append(name);
    table.append(caption);
    const values = new Map(other ? other.arguments : []);
    for (const [key, value] of one.arguments) {
      const row = element("tr");
      const head = element("th");
      head.scope = "row";
      fill(head, key, values.has(key) ? key : "");
      const cell = element("td");
      fill(cell, value, values.get(key));
      row.append(head, cell);
      table.append(row);
    }
    box.append(table);
    if (one.text || !one.arguments.length) {
      const raw = element("div", "raw");
      if (one.text) fill(raw, one.text, other ? other.text : "");
      else raw.append(element("span", "empty", "no arguments"));
      box.append(raw);
    }
    return box;
  }

  function show(box, turns, others) {
    box.replaceChildren();
    box.scrollTop = 0;
    turns.forEach((turn, number) => {
      const other = others[number] || { text: "", refusal: "", calls: [] };
      const part = element("div", "turn");
      if (turns.length > 1) part.append(element("p", "turn-title", `Answer ${number + 1} of ${turns.length}`));
      if (turn.text.trim()) {
        const text = element("div", "text");
        if (fill(text, turn.text, other.text)) {
          part.append(element("p", "note", "Too long for the differences to be marked."));
        }
        part.append(text);
      }
      if (turn.refusal) {
        part.append(element("p", "note", "Declined, and says:"));
        const text = element("div", "text");
        fill(text, turn.refusal, other.refusal);
        part.append(text);
      }
      turn.calls.forEach((one, place) => part.append(call(one, other.calls[place])));
      if (!turn.text.trim() && !turn.refusal && !turn.calls.length) part.append(element("p", "empty", "An empty answer"));
      box.append(part);
    });
  }

  function makeFields() {
    QUESTIONS.forEach((question, number) => {
      const field = element("fieldset", number ? "" : "overall");
      const legend = element("legend", "", question.label);
      field.append(legend);
      if (question.hint) field.title = question.hint;
      const row = element("div", "choices");
      CHOICES.forEach((choice, place) => {
        const label = element("label", "choice");
        const input = element("input");
        input.type = "radio";
        input.name = question.key;
        input.value = choice;
        input.addEventListener("change", () => choose(question.key, choice));
        const face = element("span", "", LABELS[choice]);
        face.dataset.key = String(place + 1);
        label.append(input, face);
        row.append(label);
      });
      field.append(row);
      field.addEventListener("focusin", () => { current = number; showCurrent(); });
      byId("fields").append(field);
    });
  }

  function showCurrent() {
    [...byId("fields").children].forEach((field, number) => field.classList.toggle("current", number === current));
  }

  function showVote() {
    const vote = voteOf(item().id);
    for (const input of byId("fields").querySelectorAll("input")) {
      input.checked = answerTo(vote, input.name) === input.value;
    }
    if (byId("notes").value !== vote.notes) byId("notes").value = vote.notes;
    showCurrent();
    showProgress();
  }

  function showProgress() {
    byId("progress").value = voted();
    byId("count").textContent = `${voted()} of ${sheet.items.length}`;
    byId("undo").disabled = !undone.length;
  }

  function showAnswers() {
    byId("diff").setAttribute("aria-pressed", String(withMarks));
    show(byId("a"), item().a, item().b);
    show(byId("b"), item().b, item().a);
  }

  function section(id) {
    for (const one of ["start", "pair", "end"]) byId(one).hidden = one !== id;
  }

  function go(at) {
    countLook();
    shown = "";
    state.at = Math.min(Math.max(at, -1), sheet.items.length);
    keep();
    showProgress();
    if (state.at < 0) return showStart();
    if (state.at === sheet.items.length) return showEnd();
    section("pair");
    shown = item().id;
    const vote = voteOf(shown);
    current = Math.max(QUESTIONS.findIndex((one) => !answerTo(vote, one.key)), 0);
    byId("title").textContent = `Pair ${state.at + 1} of ${sheet.items.length}`;
    byId("category").textContent = item().category;
    byId("prompt").textContent = item().prompt;
    byId("prompt").scrollTop = 0;
    byId("previous").disabled = state.at === 0;
    byId("next").textContent = state.at === sheet.items.length - 1 ? "Finish" : "Next pair";
    showAnswers();
    showVote();
    scrollTo(0, 0);
    byId("title").focus({ preventScroll: true });
    startLook();
    return undefined;
  }

  let cameFrom = null;
  function showStart() {
    section("start");
    byId("begin").textContent = voted() || cameFrom !== null ? "Go on" : "Start";
    byId("begin").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  function showEnd() {
    section("end");
    const open = sheet.items.length - voted();
    byId("end-title").textContent = open ? "The end, but not all is done" : "All done. Thank you!";
    byId("end-text").textContent = open
      ? `${open} of ${sheet.items.length} pairs have no overall vote yet.`
      : `All ${sheet.items.length} pairs have a vote. Please save them now, and send the file back.`;
    byId("end-open").hidden = !open;
    byId("end-title").focus({ preventScroll: true });
    scrollTo(0, 0);
    say(byId("end-text").textContent);
  }

  const firstOpen = () => Math.max(sheet.items.findIndex((one) => !voteOf(one.id).overall), 0);

  function begin() {
    go(cameFrom === null ? firstOpen() : cameFrom);
    cameFrom = null;
  }

  function help() {
    if (state.at < 0) { begin(); return; }
    cameFrom = state.at;
    go(-1);
  }

  function toggleMarks() {
    withMarks = !withMarks;
    if (byId("pair").hidden) return;
    showAnswers();
    say(withMarks ? "Differences are marked" : "Differences are not marked");
  }

  // Keys: whatever has a meaning of its own where the focus is keeps it.

  function mark(step) {
    current = Math.min(Math.max(current + step, 0), QUESTIONS.length - 1);
    showCurrent();
    byId("fields").children[current].scrollIntoView({ block: "nearest" });
    say(QUESTIONS[current].label);
  }

  function vote(number) {
    choose(QUESTIONS[current].key, CHOICES[number]);
    if (current < QUESTIONS.length - 1) mark(1);
  }

  const ANYWHERE = {
    u: undo, s: save, "?": help, p: () => { if (state.at > 0) go(state.at - 1); },
  };
  const ON_PAIRS = {
    1: () => vote(0), 2: () => vote(1), 3: () => vote(2), 4: () => vote(3),
    d: toggleMarks,
    n: () => byId("notes").focus(),
    Enter: () => go(state.at + 1),
    ArrowDown: () => mark(1),
    ArrowUp: () => mark(-1),
  };

  function pressed(event) {
    const on = event.target;
    if (on === byId("notes")) {
      if (event.key === "Escape") { on.blur(); event.preventDefault(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const native = on instanceof HTMLElement && (
      (event.key === "Enter" && on.closest("button, a"))
      || (event.key.startsWith("Arrow") && on.closest("input, .scroll")));
    if (native) return;
    // By its place, since some keyboards have their digits under Shift.
    const digit = event.shiftKey ? null : /^(?:Digit|Numpad)([1-4])$/.exec(event.code);
    const typed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const key = digit ? digit[1] : typed;
    const act = ANYWHERE[key] || (byId("pair").hidden ? undefined : ON_PAIRS[key]);
    if (!act || (event.repeat && key !== "ArrowDown" && key !== "ArrowUp")) return;
    event.preventDefault();
    act();
  }

  // Wiring.

  makeFields();
  load();
  byId("undo").addEventListener("click", undo);
  byId("help").addEventListener("click", help);
  byId("save").addEventListener("click", save);
  byId("begin").addEventListener("click", begin);
  byId("diff").addEventListener("click", toggleMarks);
  byId("previous").addEventListener("click", () => go(state.at - 1));
  byId("next").addEventListener("click", () => go(state.at + 1));
  byId("end-save").addEventListener("click", save);
  byId("end-open").addEventListener("click", () => go(firstOpen()));
  byId("end-back").addEventListener("click", () => go(sheet.items.length - 1));
  byId("notes").addEventListener("input", (event) => {
    change(item().id, (one) => { one.notes = event.target.value; });
  });
  document.addEventListener("keydown", pressed);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") countLook();
    else startLook();
  });
  addEventListener("pagehide", countLook);
  // The same page in another tab: both show the same votes.
  addEventListener("storage", (event) => {
    if (event.key !== STORE || !event.newValue) return;
    const at = state.at;
    load();
    state.at = at;
    if (byId("pair").hidden) showProgress();
    else showVote();
  });
  go(state.at);
})();
