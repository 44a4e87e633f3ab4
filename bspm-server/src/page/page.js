const of = id => document.getElementById(id);
let asked = {};
let key = "";
let history = [];

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

function clickable(text, label, work) {
  const button = element("button", text);
  button.type = "button";
  button.title = label;
  button.onclick = work;
  return button;
}

function show(list, entries) {
  list.replaceChildren(...entries.map(entry => {
    const row = document.createElement("li");
    row.append(
      clickable(entry.item, "why, and what is like it", () => detail(entry.item)),
      element("span", entry.fallback ? "popular" : entry.score.toPrecision(4), "score"),
      clickable("+", "add to the history", () => pick([...history, entry.item])),
    );
    return row;
  }));
  if (!entries.length) list.textContent = "nothing";
}

function bars(explanation) {
  const largest = Math.max(...explanation.contributions.map(part => Math.abs(part.score)), 1e-30);
  of("why").replaceChildren(...explanation.contributions.slice(0, 20).map(part => {
    const row = element("div", "", "part"), room = document.createElement("div");
    const bar = element("div", "", part.score < 0 ? "bar against" : "bar");
    bar.style.width = 100 * Math.abs(part.score) / largest + "%";
    room.append(bar);
    row.append(element("span", part.item), room, element("span", part.score.toPrecision(3), "score"));
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
  of("item").textContent = item;
  bars(explanation);
  show(of("similar"), similar.items);
  of("detail").hidden = false;
});

const recommend = guarded(async request => {
  of("list").replaceChildren();
  of("detail").hidden = true;
  asked = request;
  const answer = await ask("/recommend", { ...request, k: 20 });
  show(of("list"), answer.items);
  if (answer.unknown_items.length) of("message").textContent = "unknown items: " + answer.unknown_items.join(", ");
});

function pick(items) {
  history = [...new Set(items)];
  of("history").replaceChildren(...history.map(item => {
    const chip = element("li", item);
    chip.append(clickable("×", "remove", () => pick(history.filter(other => other !== item))));
    return chip;
  }));
  if (history.length) return recommend({ history });
  of("list").replaceChildren();
  of("detail").hidden = true;
}

of("by-key").onsubmit = event => {
  event.preventDefault();
  key = of("key").value.trim();
  of("by-key").hidden = true;
  of("message").textContent = "";
};
of("by-user").onsubmit = event => { event.preventDefault(); recommend({ user: of("user").value }); };
of("by-history").onsubmit = guarded(async event => {
  event.preventDefault();
  const item = of("item-to-add").value.trim();
  if (!item) return;
  await ask("/similar?k=1&item=" + encodeURIComponent(item)); // says so where there is no such item
  of("item-to-add").value = "";
  await pick([...history, item]);
});
of("item-to-add").oninput = guarded(async event => {
  const found = await ask("/items?k=20&search=" + encodeURIComponent(event.target.value.trim()));
  of("items").replaceChildren(...found.items.map(it => {
    const option = document.createElement("option");
    option.value = it.item;
    option.label = it.item + " (" + it.users + (it.users === 1 ? " user)" : " users)");
    return option;
  }));
});
ask("/healthz").then(it => of("model").textContent =
  `${it.filter}: ${it.users} users, ${it.items} items, ${it.interactions} interactions`);
