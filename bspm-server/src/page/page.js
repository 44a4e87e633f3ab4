const of = id => document.getElementById(id);
let asked = {};
let key = "";
let history = [];
const titles = new Map(); // of the items that were seen in answers
const offered = new Map(); // items by what the search shows of them

const LONGEST = 80;

function name(item) {
  const title = titles.get(item) ?? item;
  return title.length > LONGEST ? title.slice(0, LONGEST) + "…" : title;
}

function learn(entries) {
  for (const entry of entries) if (entry.title) titles.set(entry.item, entry.title);
}

async function ask(path, body) {
  const headers = key ? { Authorization: "Bearer " + key } : {};
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (response.status === 401) of("by-key").hidden = false;
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

// What an item is called, with its id at hand if that is another.
function labelled(item, label) {
  return titles.has(item) ? `${item}: ${label}` : label;
}

function clickable(text, label, work) {
  const button = element("button", text);
  button.type = "button";
  button.title = label;
  button.onclick = work;
  return button;
}

function show(list, entries) {
  learn(entries);
  list.replaceChildren(...entries.map(entry => {
    const row = document.createElement("li");
    row.append(
      clickable(name(entry.item), labelled(entry.item, "explanation and similar items"), () => detail(entry.item)),
      element("span", entry.fallback ? "popular" : entry.score.toPrecision(4), "score"),
      clickable("+", "add to the history", () => pick([...history, entry.item])),
    );
    return row;
  }));
  if (!entries.length) list.textContent = "nothing";
}

function bars(explanation) {
  learn(explanation.contributions);
  const largest = Math.max(...explanation.contributions.map(part => Math.abs(part.score)), 1e-30);
  of("why").replaceChildren(...explanation.contributions.slice(0, 20).map(part => {
    const row = element("div", "", "part"), room = document.createElement("div");
    const bar = element("div", "", part.score < 0 ? "bar against" : "bar");
    bar.style.width = 100 * Math.abs(part.score) / largest + "%";
    room.append(bar);
    row.append(element("span", name(part.item)), room, element("span", part.score.toPrecision(3), "score"));
    return row;
  }));
}

function guarded(work) {
  return async argument => {
    of("message").textContent = "";
    try { await work(argument); } catch (error) { of("message").textContent = error.message; }
  };
}

const detail = guarded(async item => {
  const [explanation, similar] = await Promise.all([
    ask("/explain", { ...asked, item }),
    ask("/similar?k=10&item=" + encodeURIComponent(item)),
  ]);
  of("item").textContent = name(item);
  bars(explanation);
  show(of("similar"), similar.items);
  of("detail").hidden = false;
});

const recommend = guarded(async request => {
  of("list").replaceChildren();
  of("detail").hidden = true;
  of("start").hidden = true;
  of("lists").hidden = false;
  asked = request;
  const answer = await ask("/recommend", { ...request, k: 20 });
  show(of("list"), answer.items);
  if (answer.unknown_items.length) of("message").textContent = "unknown items: " + answer.unknown_items.join(", ");
});

function pick(items) {
  history = [...new Set(items)];
  of("history").replaceChildren(...history.map(item => {
    const chip = element("li", name(item));
    chip.append(clickable("×", "remove", () => pick(history.filter(other => other !== item))));
    return chip;
  }));
  if (history.length) return recommend({ history });
  return start();
}

// What is shown before anything is asked: items of most users, to pick from.
const start = guarded(async () => {
  of("lists").hidden = true;
  const popular = (await ask("/items?k=24")).items;
  learn(popular);
  of("popular").replaceChildren(...popular.map(({ item, users }) => {
    const row = document.createElement("li");
    row.append(clickable(name(item), labelled(item, users === 1 ? "1 user" : users + " users"), () => pick([item])));
    return row;
  }));
  of("start").hidden = false;
});

// The item that is meant by a text: one that was offered, an id, or the only one with the text in its name.
async function meant(text) {
  if (offered.has(text)) return offered.get(text);
  const found = (await ask("/items?k=20&search=" + encodeURIComponent(text))).items;
  learn(found);
  const same = found.filter(it => it.title && it.title.toLowerCase() === text.toLowerCase());
  if (found.some(it => it.item === text)) return text;
  if (same.length === 1) return same[0].item;
  if (found.length === 1 && titles.has(found[0].item)) return found[0].item;
  await ask("/similar?k=1&item=" + encodeURIComponent(text)); // says so where there is no such item
  return text;
}

of("by-key").onsubmit = event => {
  event.preventDefault();
  key = of("key").value.trim();
  of("by-key").hidden = true;
  return start();
};
of("by-user").onsubmit = event => { event.preventDefault(); recommend({ user: of("user").value }); };
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
  if (offered.has(text)) return; // one of the search was chosen
  const found = await ask("/items?k=20&search=" + encodeURIComponent(text));
  learn(found.items);
  of("items").replaceChildren(...found.items.map(it => {
    const option = document.createElement("option");
    option.value = it.title ? `${name(it.item)} [${it.item}]` : it.item;
    option.label = option.value + " (" + it.users + (it.users === 1 ? " user)" : " users)");
    offered.set(option.value, it.item);
    return option;
  }));
});
ask("/healthz").then(it => of("model").textContent =
  `${it.filter}: ${it.users} users, ${it.items} items, ${it.interactions} interactions`);
start();
