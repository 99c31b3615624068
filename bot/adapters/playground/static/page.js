// The page's behaviour. The server draws everything; this moves drawn pieces to their places.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const SLASH = "/wwc";
const BOT = "bot";

// --- calls -------------------------------------------------------------------------------------

async function call(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`/playground/${path}`, options);
  if (response.headers.get("Content-Type").startsWith("text/html")) return response.text();
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const query = (values) => new URLSearchParams(values).toString();

function pieces(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // drawn by the server, where every text is escaped
  return [...template.content.children];
}

const place = (pane) => ({
  as: pane.dataset.as,
  workspace: pane.dataset.workspace,
  channel: pane.dataset.channel,
});

// --- comboboxes: the composer, the person picker and the searching fields of forms ---------------

class Combo {
  // find(text) gives items {label, value, hint}; take(item) uses one.
  constructor(input, { find, take, eager = false }) {
    Object.assign(this, { input, find, take, eager });
    this.list = document.getElementById(input.getAttribute("aria-controls"));
    this.items = [];
    this.asked = 0;
    this.at = -1;
    this.waiting = false;
    this.keys = []; // pressed before the list was there: they are for the list that comes
    input.addEventListener("input", () => this.ask());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
    if (eager) input.addEventListener("focus", () => (input.select(), this.ask("")));
    if (eager) input.addEventListener("click", () => this.list.hidden && this.ask(""));
    // The pointer must not take the focus away before the click arrives.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose([...this.list.children].indexOf(option));
    });
  }

  async ask(text = this.input.value) {
    const asked = ++this.asked;
    this.waiting = true;
    this.keys = [];
    const items = await this.find(text).catch(() => []);
    if (asked !== this.asked) return; // answers may overtake each other
    this.waiting = false;
    if (document.activeElement !== this.input) return; // the field is left already
    this.show(items);
    for (const key of this.keys.splice(0)) this.steer(key);
  }

  // Uses a key on the list; false if it means nothing there.
  steer(key) {
    if (this.list.hidden) return false;
    if (key === "ArrowDown") this.move(1);
    else if (key === "ArrowUp") this.move(-1);
    else if (key === "Enter" && this.at >= 0) this.choose(this.at);
    else return false;
    return true;
  }

  show(items) {
    this.items = items;
    this.at = -1;
    this.list.replaceChildren(...items.map((item, index) => this.option(item, index)));
    this.list.hidden = !items.length;
    this.input.setAttribute("aria-expanded", String(items.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  option(item, index) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${index}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const label = document.createElement("b");
    label.textContent = item.label;
    option.append(label);
    if (item.hint) {
      const hint = document.createElement("span");
      hint.textContent = item.hint;
      option.append(" ", hint);
    }
    return option;
  }

  move(step) {
    const count = this.items.length;
    this.at = this.at < 0 && step < 0 ? count - 1 : (this.at + step + count) % count;
    [...this.list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.at));
      if (index !== this.at) return;
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    });
  }

  key(event) {
    if (event.isComposing) return;
    const arrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (this.waiting && (arrow || (event.key === "Enter" && this.keys.length))) {
      this.keys.push(event.key);
      return void event.preventDefault();
    }
    if (event.key === "ArrowDown" && this.list.hidden) return void this.ask(this.eager ? "" : undefined);
    if (this.list.hidden) return;
    const { key, shiftKey } = event;
    if (key === "Escape") this.close();
    else if (key === "Tab" && !shiftKey && (this.at >= 0 || !this.eager)) this.choose(Math.max(this.at, 0));
    else if (!this.steer(key)) return;
    event.preventDefault();
    event.stopPropagation(); // Esc closes the list, not the dialog around it
  }

  choose(index) {
    const item = this.items[index];
    this.close();
    this.take(item);
  }

  close() {
    this.asked++;
    this.waiting = false;
    this.keys = [];
    this.show([]);
  }
}

// --- panes -------------------------------------------------------------------------------------

function dress(pane) {
  const input = $(".composer input", pane);
  const composer = new Combo(input, {
    find: async (text) => {
      const words = text.startsWith("/") || (pane.dataset.channel === BOT && text.trim());
      return words ? (await call(`suggest?${query({ ...place(pane), text })}`)).items : [];
    },
    take: (item) => {
      input.value = item.value;
      input.setSelectionRange(item.value.length, item.value.length);
      if (item.more || item.value.endsWith(" ")) composer.ask();
    },
  });
  $(".composer", pane).addEventListener("submit", (event) => {
    event.preventDefault();
    composer.close();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    const chat = !text.startsWith("/") && pane.dataset.channel !== BOT;
    const { reply } = pane.dataset;
    // A thread stays open for the next message, a reply is one message.
    if (reply && !pane.classList.contains("slack")) answer(pane);
    const words = { text, chat, ...(reply && { reply: Number(reply) }) };
    say(pane, words).catch(() => (input.value ||= text)); // what was typed is not lost
  });
  const you = $(".picker input", pane);
  const shown = you.value;
  new Combo(you, {
    eager: true,
    find: async (text) => (await call(`people?${query({ q: text })}`)).items,
    take: (item) => become(pane, item.value),
  });
  you.addEventListener("blur", () => (you.value = shown));
  toEnd(pane);
}

let turning; // while one pane takes another's place, what arrives waits for the new one

function swap(pane, changes, focus) {
  const turn = exchange(pane, changes, focus);
  turning = turn.catch(() => {});
  return turn;
}

async function exchange(pane, changes, focus) {
  const [fresh] = pieces(await call(`pane?${query({ ...place(pane), ...changes })}`));
  fresh.hidden = pane.hidden;
  pane.replaceWith(fresh);
  dress(fresh);
  $(focus, fresh)?.focus();
  return fresh;
}

async function become(pane, person) {
  const fresh = await swap(pane, { as: person, channel: "general" }, ".picker input");
  const address = new URL(location);
  address.searchParams.set(fresh.dataset.workspace, person);
  history.replaceState(null, "", address);
  listen();
}

async function say(pane, words) {
  const busy = $(".busy", pane);
  const patience = setTimeout(() => (busy.hidden = false), 300);
  try {
    const answer = await call("say", { ...place(pane), ...words });
    pieces(answer.html).forEach((piece) => (piece.matches("dialog") ? open(pane, piece) : add(pane, piece)));
    return answer;
  } catch (error) {
    toast(pane, error.message);
    throw error;
  } finally {
    clearTimeout(patience);
    busy.hidden = true;
  }
}

function add(pane, article) {
  const log = $(".log", pane);
  const number = Number(article.dataset.number);
  if ($(`[data-number="${number}"]`, log)) return; // the answer and the stream bring it both
  const after = $$("[data-number]", log).findLast((one) => Number(one.dataset.number) < number);
  if (after) after.after(article);
  else $(".intro", log).after(article);
  pane.dataset.last = Math.max(number, Number(pane.dataset.last));
  toEnd(pane, article);
}

function change(pane, number, html) {
  const old = $(`[data-number="${number}"]`, $(".log", pane));
  if (old) old.replaceWith(...pieces(html)); // nothing, when it was taken away
  else pieces(html).forEach((piece) => add(pane, piece)); // missed while the connection was lost
}

function toEnd(pane, article) {
  const log = $(".log", pane);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const tall = article && article.offsetHeight > log.clientHeight - 24;
  const top = tall ? article.offsetTop - log.offsetTop - 8 : log.scrollHeight;
  if ($("[data-number]", log)) log.scrollTo({ top, behavior: article && !calm ? "smooth" : "instant" });
}

function toast(pane, text) {
  const line = $(".toast", pane);
  line.textContent = text;
  line.hidden = false;
  setTimeout(() => (line.hidden = true), 8000);
}

const pressed = (pane, words) => say(pane, { text: `${SLASH} ${words}` }).catch(() => {});

document.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  const pane = target?.closest(".pane");
  if (!pane || target.closest("dialog")) return;
  const data = target.dataset;
  if (data.say) pressed(pane, data.say);
  else if (data.try) say(pane, { text: data.try }).catch(() => {});
  else if (data.channel) swap(pane, { channel: data.channel }, ".composer input");
  else if (data.dismiss) dismiss(pane, target);
  else if (data.reply) answer(pane, data.reply, data.quote);
  else if ("unreply" in data) answer(pane);
  else if (data.edit) rewrite(pane, target.closest(".msg"), data);
  else if (data.remove) alter(pane, "remove", { number: Number(data.remove) });
  else if ("menu" in data) menu(pane, !pane.classList.contains("open"));
});

document.addEventListener("change", (event) => {
  const select = event.target.closest("select[data-pick]");
  if (!select?.value) return;
  pressed(select.closest(".pane"), select.value);
  select.value = "";
});

document.addEventListener("keydown", (event) => {
  // Arrow keys on a closed menu would choose at once; they open it instead.
  if (event.target.matches?.("select[data-pick]") && /^Arrow(Up|Down)$/.test(event.key)) {
    event.preventDefault();
    event.target.showPicker();
  }
  if (event.key === "Escape") $$(".pane.open").forEach((pane) => menu(pane, false));
});

// An opened payload lies below the fold more often than not.
document.addEventListener("toggle", ({ target }) => {
  if (target.matches(".payload") && target.open) target.scrollIntoView({ block: "nearest" });
}, true);

function menu(pane, open) {
  pane.classList.toggle("open", open);
  $("[data-menu]", pane).setAttribute("aria-expanded", String(open));
  (open ? $(".channel[aria-current]", pane) : $("[data-menu]", pane)).focus();
}

async function dismiss(pane, button) {
  await call("dismiss", { ...place(pane), number: Number(button.dataset.dismiss) });
  button.closest(".msg").remove();
  $(".composer input", pane).focus();
}

// --- own messages: replies, edits, deletions -----------------------------------------------------

function answer(pane, number, quote) {
  const line = $(".replying", pane);
  line.hidden = !number;
  if (number) pane.dataset.reply = number;
  else delete pane.dataset.reply;
  $("[data-to]", line).textContent = number ? pane.dataset.replying.replace("{words}", () => quote) : "";
  const log = $(".log", pane);
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 80) toEnd(pane);
  $(".composer input", pane).focus();
}

function rewrite(pane, article, { edit, text }) {
  const said = $(".said", article);
  const form = $("[data-edit-form]", pane).content.firstElementChild.cloneNode(true);
  const area = $("textarea", form);
  const close = () => (form.remove(), (said.hidden = false), $(".composer input", pane).focus());
  area.value = text;
  said.hidden = true;
  said.after(form);
  area.focus();
  $("[data-cancel]", form).addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!area.value.trim()) return void close();
    await alter(pane, "edit", { number: Number(edit), text: area.value });
    if (form.isConnected) close(); // it failed, and a line said so
  });
}

async function alter(pane, how, what) {
  try {
    const { number, html } = await call(how, { ...place(pane), ...what });
    change(pane, number, html);
    $(".composer input", pane).focus();
  } catch (error) {
    toast(pane, error.message);
  }
}

// --- forms -------------------------------------------------------------------------------------

function open(pane, dialog) {
  const back = document.activeElement;
  pane.append(dialog);
  $$(".combo", dialog).forEach((combo) => search(pane, combo));
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if ($("dialog[open]")) return; // the next one is already there
    const target = back?.isConnected && back !== document.body ? back : $(".composer input", pane);
    target.focus();
    // The caret stayed in the field that is gone: without this, Chromium types nowhere.
    target.setSelectionRange?.(target.value.length, target.value.length);
  });
  $("form", dialog).addEventListener("submit", (event) => {
    event.preventDefault();
    submit(pane, dialog);
  });
  dialog.showModal();
  const first = $("[aria-invalid]", dialog) ?? $(".field :is(input, select, textarea)", dialog);
  (first?.matches("[role$=group]") ? $("input", first) : (first ?? $("h2", dialog))).focus();
}

async function submit(pane, dialog) {
  const button = $("[type=submit]", dialog);
  if (button.disabled) return; // a double click is one effect
  button.disabled = true;
  const values = Object.fromEntries($$("[data-field]", dialog).map((field) => [field.dataset.field, given(field)]));
  const body = { ...place(pane), text: dialog.dataset.said, values, submitted: true };
  try {
    const answer = await call("say", body);
    dialog.close();
    pieces(answer.html).forEach((piece) => (piece.matches("dialog") ? open(pane, piece) : add(pane, piece)));
  } catch (error) {
    toast(pane, error.message);
    button.disabled = false; // the form stays open with everything typed
  }
}

function given(field) {
  const texts = {
    several: () => $$(".chip", field).map((chip) => chip.dataset.value),
    search: () => [searched($("input", field))],
    checks: () => $$(":checked", field).map((tick) => tick.value),
    radios: () => $$(":checked", field).map((tick) => tick.value),
  };
  const read = texts[field.dataset.kind] ?? (() => [$("input, textarea, select", field).value]);
  return read().filter((text) => text.trim());
}

const searched = (input) => (input.value === input.dataset.label ? input.dataset.value : input.value);

function search(pane, combo) {
  const input = $("input", combo);
  const several = combo.classList.contains("several");
  const own = $$("[role=option]", combo).map((option) => ({
    label: option.textContent, value: option.dataset.value, hint: option.dataset.hint,
  }));
  const field = combo.closest("[data-field]").dataset.field;
  const remote = async (text) =>
    (await call(`suggest?${query({ ...place(pane), verb: combo.dataset.verb, field, text })}`)).items;
  const local = async (text) => own.filter(({ label }) => bare(label).includes(bare(text)));
  new Combo(input, {
    eager: true,
    find: async (text) => {
      const items = await ("remote" in combo.dataset ? remote : local)(text);
      const taken = several ? $$(".chip", combo).map((chip) => chip.dataset.value) : [];
      return items.filter(({ value }) => !taken.includes(value));
    },
    take: (item) => (several ? chip(input, item) : pick(input, item)),
  });
  if (!several) return;
  input.addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && !input.value) $$(".chip", combo).at(-1)?.remove();
  });
  combo.addEventListener("click", (event) => {
    if (!event.target.closest(".chip button")) return;
    event.target.closest(".chip").remove();
    input.focus();
  });
}

const bare = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function pick(input, item) {
  input.value = item.label;
  Object.assign(input.dataset, { label: item.label, value: item.value });
}

function chip(input, item) {
  const chip = document.createElement("span");
  chip.className = "chip";
  chip.dataset.value = item.value;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.textContent = "×";
  remove.setAttribute("aria-label", input.dataset.remove.replace("{name}", item.label));
  chip.append(item.label, remove);
  input.before(chip);
  input.value = "";
}

// --- live updates ------------------------------------------------------------------------------

let stream;

function listen() {
  stream?.close();
  const panes = $$(".pane");
  const values = new URLSearchParams([...new Set(panes.map((pane) => pane.dataset.as))].map((key) => ["as", key]));
  values.set("since", Math.max(...panes.map((pane) => Number(pane.dataset.last))));
  stream = new EventSource(`/playground/stream?${values}`);
  stream.onopen = () => ($("#lost").textContent = "");
  stream.onerror = () => ($("#lost").textContent = $("#lost").dataset.text);
  stream.onmessage = (event) => arrive(JSON.parse(event.data), Number(event.lastEventId));
}

async function arrive({ as, workspace, channel, number, changed, html }, id) {
  await turning;
  const pane = $$(".pane").find((one) => one.dataset.workspace === workspace && one.dataset.as === as);
  if (!pane) return;
  pane.dataset.last = Math.max(id, Number(pane.dataset.last));
  if (changed) return void (pane.dataset.channel === channel && change(pane, number, html));
  if (pane.dataset.channel === channel) pieces(html).forEach((piece) => add(pane, piece));
  else {
    const line = () => $$(".channel", pane).find((one) => one.dataset.channel === channel);
    if (!line()) {
      const [fresh] = pieces(await call(`pane?${query(place(pane))}`));
      $(".side", pane).replaceWith($(".side", fresh)); // somebody new, or a new channel
    }
    raise(line());
  }
  if (pane.hidden) raise($(`[aria-controls="${pane.id}"]`));
}

function raise(button) {
  const badge = button && $(".badge", button);
  if (!badge) return;
  badge.hidden = false;
  badge.textContent = String(Number(badge.textContent) + 1);
}

// --- the page around the panes -------------------------------------------------------------------

const tabs = $$("[role=tab]");
const narrow = matchMedia("(max-width: 800px)");
let front = tabs[0];

function arrange() {
  tabs.forEach((tab) => {
    const here = tab === front;
    const pane = document.getElementById(tab.getAttribute("aria-controls"));
    tab.setAttribute("aria-selected", String(here));
    tab.tabIndex = here ? 0 : -1;
    pane.hidden = narrow.matches && !here;
  });
  const badge = $(".badge", front);
  badge.hidden = true;
  badge.textContent = "";
}

tabs.forEach((tab, index) => {
  tab.addEventListener("click", () => ((front = tab), arrange()));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    front = tabs[(index + step + tabs.length) % tabs.length];
    arrange();
    front.focus();
  });
});

$("[data-theme-switch]").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const theme = (root.dataset.theme || dark) === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  // A cookie, so that the server draws the next page right at once.
  document.cookie = `wwc_theme=${theme}; path=/; max-age=31536000; samesite=strict`;
});

$$("[data-lang]").forEach((link) =>
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const address = new URL(location); // who is who stays as it is
    address.searchParams.set("lang", link.dataset.lang);
    location.assign(address);
  }),
);

narrow.addEventListener("change", arrange);
$$(".pane").forEach(dress);
arrange();
listen();
