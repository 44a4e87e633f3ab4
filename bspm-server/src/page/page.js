const of = id => document.getElementById(id);
let asked = null; // the user or the history of the list
let key = "";
let history = [];
let model = null; // the answer of /model
let turn = 0; // counts the requests for lists, so that a late response does not replace a newer one
let opened = null; // the button of the item whose explanation is shown
const known = new Map(); // items of earlier responses: title, picture, columns
const offered = new Map(); // items by their text in the search
const chosen = new Map(); // chosen values of each column: value -> condition

const LONGEST = 80; // characters of a title
const LONGEST_ID = 200; // characters of an id in an address
const SHOWN = 24; // items of a history
const LONGEST_LABEL = 300; // characters of a filter with its settings

// A text without control characters, line ends, and characters that change the direction of the text around it.
function clean(text, longest = LONGEST) {
  const start = String(text).slice(0, 4 * longest).replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, " ");
  const characters = [...start.trim()];
  return characters.length > longest ? characters.slice(0, longest).join("") + "…" : characters.join("");
}

const name = item => clean(known.get(item)?.title || item) || "(no title)";
const plural = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

async function ask(path, body) {
  const headers = key ? { Authorization: "Bearer " + key } : {};
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (response.status === 401) of("by-key").hidden = false;
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// Remembers titles, and asks for the columns of items that are not known yet.
async function learn(entries) {
  for (const { item, title } of entries) known.set(item, { title, ...known.get(item) });
  if (!model?.has_item_table) return;
  const missing = entries.map(it => it.item).filter(item => !known.get(item).columns && item.length <= LONGEST_ID);
  for (let start = 0; start < missing.length; start += 50) {
    const ids = missing.slice(start, start + 50);
    const list = ids.map(id => '"' + id.replaceAll('"', '""') + '"').join(",");
    const found = (await ask("/items?columns=true&ids=" + encodeURIComponent(list))).items;
    for (const id of ids) known.get(id).columns = {};
    for (const { item, title, columns = {} } of found) known.set(item, { title, columns });
  }
}

function element(kind, text, className = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  made.className = className;
  return made;
}

// Text of the data, whose direction does not change that of the text around it.
function isolated(text, className = "") {
  const made = element("bdi", text, className);
  made.dir = "auto";
  return made;
}

function clickable(text, label, work, className = "plain") {
  const button = element("button", text, className);
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.onclick = work;
  return button;
}

// A colour for an item, the same for items with the same value in the first column with few values.
function hue(item) {
  const text = String(known.get(item)?.columns?.[model?.facets[0]?.column] ?? name(item));
  return [...text.slice(0, LONGEST)].reduce((sum, character) => (31 * sum + character.codePointAt()) % 1_000_003, 7) % 6;
}

// The picture of an item, or the first letter of its name.
function picture(item) {
  const address = known.get(item)?.columns?.[model?.image_column];
  const letter = element("span", [...name(item)][0].toLocaleUpperCase(), "picture hue-" + hue(item));
  letter.setAttribute("aria-hidden", "true");
  if (typeof address !== "string" || !/^(https:\/\/|data:image\/)/i.test(address)) return letter;
  const image = element("img", "", "picture");
  image.loading = "lazy";
  image.referrerPolicy = "no-referrer";
  image.alt = "picture of " + name(item);
  image.onerror = () => image.replaceWith(letter);
  image.src = address;
  return image;
}

// The values of the columns of an item in the order of the table, without its picture.
function columns(item) {
  const values = known.get(item)?.columns ?? {};
  const shown = (model?.columns ?? []).filter(({ name }) => name !== model.image_column && Object.hasOwn(values, name));
  return shown.map(({ name }) => [name, values[name]]);
}

// A few short values of an item in one line.
function subtitle(item) {
  const short = columns(item).filter(([, value]) => typeof value !== "boolean" && String(value).length <= 40);
  return short.slice(0, 3).map(([column, value]) => clean(typeof value === "number" ? `${column} ${value}` : value)).join(" · ");
}

// A tile with a picture and two lines of text; a button if there is work for it.
function tile(item, line, label, work) {
  const made = element(work ? "button" : "div", "", "tile");
  const texts = element("span", "", "texts");
  texts.append(isolated(name(item), "name"));
  if (line) texts.append(isolated(line, "quiet"));
  made.append(picture(item), texts);
  if (!work) return made;
  made.type = "button";
  made.title = known.get(item)?.title ? `${clean(item)}: ${label}` : label;
  made.onclick = work;
  return made;
}

function bar(score, largest) {
  const room = element("div", "", "room");
  const made = element("div", "", score < 0 ? "bar against" : "bar");
  made.style.width = 100 * Math.abs(score) / largest + "%";
  room.append(made);
  return room;
}

const largest = entries => Math.max(...entries.map(entry => Math.abs(entry.score)), 1e-30);

function show(list, entries) {
  const most = largest(entries.filter(entry => !entry.fallback));
  list.replaceChildren(...entries.map(entry => {
    const row = document.createElement("li");
    const open = tile(entry.item, subtitle(entry.item), "explanation and similar items", () => detail(entry.item, open));
    row.append(
      open,
      entry.fallback ? element("div", "") : bar(entry.score, most),
      element("span", entry.fallback ? "popular" : entry.score.toPrecision(3), "score"),
      clickable("+", "Add to the history: " + name(entry.item), () => pick([...history, entry.item])),
    );
    row.lastChild.classList.add("add");
    return row;
  }));
}

function bars(explanation) {
  const parts = explanation.contributions.slice(0, 20), most = largest(parts);
  of("why").replaceChildren(...parts.map(part => {
    const row = element("div", "", "part");
    row.setAttribute("role", "listitem");
    row.append(isolated(name(part.item)), bar(part.score, most), element("span", part.score.toPrecision(3), "score"));
    return row;
  }));
  const rest = explanation.contributions.length - parts.length;
  of("base").textContent = `Score ${explanation.score.toPrecision(3)}: the sum of the contributions of the history` +
    (rest > 0 ? `. The ${parts.length} largest of ${explanation.contributions.length}:` : ":");
}

function facts(list, entries) {
  list.replaceChildren(...entries.map(([term, value, tooltip, isWide]) => {
    const part = element("div", "", isWide ? "wide" : "");
    const definition = document.createElement("dd");
    definition.append(isolated(value));
    part.append(element("dt", term), definition);
    if (tooltip) part.title = tooltip;
    return part;
  }));
}

function guarded(work) {
  return async (...values) => {
    of("message").textContent = "";
    try { await work(...values); } catch (error) { of("message").textContent = error.message; }
  };
}

function close() {
  of("detail").hidden = true;
  of("lists").className = "";
  document.querySelectorAll(".ranked .chosen").forEach(row => row.classList.remove("chosen"));
}

const detail = guarded(async (item, button) => {
  const mine = turn;
  const [explanation, similar] = await Promise.all([
    ask("/explain", { ...asked, item }),
    ask("/similar?k=8&item=" + encodeURIComponent(item)),
  ]);
  await learn([{ item, title: explanation.title }, ...explanation.contributions.slice(0, 20), ...similar.items]);
  if (mine !== turn) return;
  close();
  of("item").dir = "auto";
  of("item").textContent = name(item);
  facts(of("about"), columns(item).slice(0, 8).map(([column, value]) =>
    [clean(column), typeof value === "boolean" ? (value ? "yes" : "no") : clean(value)]));
  bars(explanation);
  show(of("similar"), similar.items);
  if (of("list").contains(button)) {
    button.parentElement.classList.add("chosen");
    opened = button;
  }
  of("lists").className = "split";
  of("detail").hidden = false;
  of("detail").focus({ preventScroll: true });
  if (!matchMedia("(min-width: 48rem)").matches || !of("list").contains(button)) of("detail").scrollIntoView();
});

// The condition of the chosen values and of the field.
function condition() {
  const parts = [...chosen.values()].filter(values => values.size).map(values => [...values.values()].join(" or "));
  const typed = of("condition").value.trim();
  if (typed) parts.push(typed);
  of("unfilter").hidden = !parts.length;
  return parts.map(part => `(${part})`).join(" and ");
}

const filtered = parts => {
  const where = condition();
  return where ? { ...parts, where } : parts;
};

const recommend = guarded(async request => {
  const mine = ++turn;
  asked = request;
  of("start").hidden = true;
  const answer = await ask("/recommend", filtered({ ...request, k: 20 }));
  await learn(answer.items);
  if (mine !== turn) return;
  close();
  show(of("list"), answer.items);
  of("count").textContent = answer.items.length ? plural(answer.items.length, "item") + ". Choose one to see why." : "No items.";
  of("lists").hidden = false;
  if (answer.unknown_items.length) of("message").textContent = "unknown items: " + answer.unknown_items.map(clean).join(", ");
});

// The history as cards, with the number of its items that are not shown.
function cards(title, items, total, remove) {
  of("history-title").textContent = title;
  of("history").replaceChildren(...items.map(item => {
    const row = document.createElement("li");
    row.append(tile(item, subtitle(item)));
    if (remove) row.append(clickable("×", "Remove from the history: " + name(item), () => remove(item)));
    return row;
  }));
  if (total > items.length) of("history").append(element("li", `and ${total - items.length} more`, "more"));
  of("given").hidden = false;
  of("examples").hidden = true;
}

const recommendTo = guarded(async user => {
  of("user").value = user;
  const mine = ++turn;
  const answer = await ask(`/history?k=${SHOWN}&user=` + encodeURIComponent(user));
  await learn(answer.items);
  if (mine !== turn) return;
  history = [];
  cards(`User ${clean(user)}: ${plural(answer.interactions, "interaction")}`, answer.items.map(it => it.item), answer.interactions);
  await recommend({ user });
});

async function pick(items) {
  history = [...new Set(items)];
  of("user").value = "";
  if (!history.length) return start();
  cards(`Your history: ${plural(history.length, "item")}`, history, history.length,
    item => pick(history.filter(other => other !== item)));
  return recommend({ history });
}

// The start of the page: example users and the most popular items.
const start = guarded(async () => {
  const mine = ++turn;
  history = [];
  asked = null;
  const where = condition();
  const popular = (await ask("/items?k=24" + (where && "&where=" + encodeURIComponent(where)))).items;
  await learn(popular);
  if (mine !== turn) return;
  close();
  of("lists").hidden = of("given").hidden = true;
  of("examples").hidden = !of("users").children.length;
  of("popular").replaceChildren(...popular.map(({ item, users }) => {
    const row = document.createElement("li");
    row.append(tile(item, subtitle(item) || plural(users, "user"), plural(users, "user"), () => pick([item])));
    return row;
  }));
  if (popular.length && !where) example(popular[0].item);
  of("start").hidden = false;
});

// An example of a condition, with a value of the first item.
function example(item) {
  const [column, value] = columns(item).find(([, value]) => typeof value === "number") ?? [];
  of("condition").placeholder = /^\w+$/.test(column ?? "") ? `such as ${column} < ${value}` : "on the columns of the items, in SQL";
}

const refresh = () => asked ? recommend(asked) : start();

// The example users, if the server lists them.
async function examples() {
  const { users } = await ask("/users?k=6");
  await learn(users.flatMap(it => it.items));
  of("users").replaceChildren(...users.map(({ user, interactions, items }) => {
    const row = document.createElement("li");
    const button = element("button", "", "tile"), texts = element("span", "", "texts");
    button.type = "button";
    texts.append(isolated(clean(user), "name"), element("span", plural(interactions, "interaction"), "quiet"),
      isolated(items.map(it => name(it.item)).join(", "), "quiet"));
    button.append(texts);
    button.onclick = () => recommendTo(user);
    row.append(button);
    return row;
  }));
}

// Chips for the columns with few values.
function facets() {
  of("facets").replaceChildren(...model.facets.map(({ column, values }) => {
    const group = element("fieldset", "", "facet");
    const legend = document.createElement("legend");
    legend.append(isolated(clean(column)));
    group.append(legend, ...values.map(({ value, items, where }) => {
      const shown = value === "true" ? "yes" : value === "false" ? "no" : clean(value);
      const chip = element("button", "", "chip");
      chip.type = "button";
      chip.title = plural(items, "item");
      chip.setAttribute("aria-pressed", "false");
      chip.append(isolated(shown));
      chip.onclick = () => {
        if (!chosen.has(column)) chosen.set(column, new Map());
        const isChosen = !chosen.get(column).delete(value);
        if (isChosen) chosen.get(column).set(value, where);
        chip.setAttribute("aria-pressed", isChosen);
        refresh();
      };
      return chip;
    }));
    return group;
  }));
  of("filters").hidden = !model.has_item_table;
}

// The best trial of each filter, or all.
function trials(areAll) {
  const isFirst = ({ filter }, place) => model.trials.findIndex(it => it.filter === filter) === place;
  const shown = areAll ? model.trials : model.trials.filter((it, place) => it.is_selected || isFirst(it, place));
  of("compared-title").textContent = areAll ? `The ${plural(shown.length, "best candidate")} on held-out interactions` :
    `Selected from ${plural(model.compared, "candidate")} on held-out interactions: the best of each filter`;
  of("trials").replaceChildren(...shown.map(trial => {
    const row = element("tr", "", trial.is_selected ? "chosen" : "");
    const { ndcg, recall, hit_rate } = trial.metrics;
    const hasFailed = trial.outcome.startsWith("failed");
    row.append(element("td", clean(trial.label, LONGEST_LABEL) + (trial.is_selected ? " (selected)" : "")),
      ...[ndcg, recall, hit_rate].map(it => element("td", hasFailed ? "failed" : it.toFixed(4))),
      element("td", trial.users.toLocaleString("en")));
    return row;
  }));
  of("all-trials").hidden = shown.length === model.trials.length;
  of("all-trials").textContent = `Show all ${model.trials.length}`;
}

async function describe() {
  model = await ask("/model");
  of("summary").textContent = `${model.filter}: ${plural(model.users, "user")}, ${plural(model.items, "item")}, ${plural(model.interactions, "interaction")}`;
  const entries = [
    ["Users", model.users.toLocaleString("en")],
    ["Items", model.items.toLocaleString("en")],
    ["Interactions", model.interactions.toLocaleString("en")],
  ];
  if (model.held_out) {
    const { metrics, users } = model.held_out, measured = `on held-out interactions of ${plural(users, "user")}`;
    entries.push(["NDCG, held out", metrics.ndcg.toFixed(4), measured], ["Recall, held out", metrics.recall.toFixed(4), measured],
      ["Hit rate, held out", (100 * metrics.hit_rate).toFixed(1) + "%", measured]);
  }
  entries.push(["Filter", clean(model.label, LONGEST_LABEL), "", true]);
  facts(of("facts"), entries);
  facts(of("settings"), model.settings.map(it => [it.name, it.value ?? "off", it.description]));
  of("settings-part").hidden = !model.settings.length;
  of("compared").hidden = !model.trials.length;
  trials(false);
  facets();
  of("card").hidden = false;
}

// The item for a text: a suggestion, an id, or the only item with this text in its id or title.
async function meant(text) {
  if (offered.has(text)) return offered.get(text);
  const found = (await ask("/items?k=20&search=" + encodeURIComponent(text))).items;
  const same = found.filter(it => it.title && it.title.toLowerCase() === text.toLowerCase());
  const item = found.some(it => it.item === text) ? text : same.length === 1 ? same[0].item : found.length === 1 && found[0].title ? found[0].item : null;
  if (item === null) await ask("/similar?k=1&item=" + encodeURIComponent(text)); // reports an unknown item
  await learn(item === null ? [{ item: text }] : found.filter(it => it.item === item));
  return item ?? text;
}

of("by-key").onsubmit = event => {
  event.preventDefault();
  key = of("key").value.trim();
  of("by-key").hidden = true;
  return open();
};
of("by-user").onsubmit = event => {
  event.preventDefault();
  const user = of("user").value;
  if (user) recommendTo(user);
};
of("by-history").onsubmit = guarded(async event => {
  event.preventDefault();
  const text = of("item-to-add").value.trim();
  if (!text) return;
  const item = await meant(text);
  of("item-to-add").value = "";
  await pick([...history, item]);
});
of("item-to-add").oninput = guarded(async event => {
  const text = event.target.value.trim();
  if (offered.has(text)) return; // the user chose a suggestion
  const found = (await ask("/items?k=20&search=" + encodeURIComponent(text))).items;
  await learn(found);
  if (event.target.value.trim() !== text) return;
  of("items").replaceChildren(...found.map(it => {
    const option = document.createElement("option");
    option.value = it.title ? `${name(it.item)} [${clean(it.item)}]` : it.item;
    option.label = `${clean(option.value)} (${plural(it.users, "user")})`;
    offered.set(option.value, it.item);
    return option;
  }));
});
of("by-condition").onsubmit = event => { event.preventDefault(); refresh(); };
of("unfilter").onclick = () => {
  chosen.clear();
  of("condition").value = "";
  document.querySelectorAll(".chip").forEach(chip => chip.setAttribute("aria-pressed", "false"));
  refresh();
};
of("restart").onclick = () => { of("user").value = ""; start(); };
of("all-trials").onclick = () => trials(true);
function shut() {
  close();
  if (opened?.isConnected) opened.focus();
}
of("close").onclick = shut;
document.onkeydown = event => { if (event.key === "Escape" && !of("detail").hidden) shut(); };

const open = guarded(async () => {
  await describe();
  await examples();
  await start();
});
open();
