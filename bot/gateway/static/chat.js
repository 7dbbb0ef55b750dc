// @ts-check
/* The chat page. Talks to /api; draws with text nodes only, never with HTML.
 *
 * Every message gets an id here and waits in the outbox until the server has answered
 * it; sending it again with the same id gives the same answer, so nothing is lost and
 * nothing is said twice. The tab's session storage keeps conversation and outbox.
 */
"use strict";

(() => {
  const ANSWER_WITHIN = 15000; // ms; the server itself answers within about 3 s
  const RETRY_FIRST = 2000;
  const RETRY_LONGEST = 30000;
  const CONTEXT = 56; // px of what came before that stay in view above an answer
  // Crisis Text Line, Veterans Crisis Line, National Domestic Violence Hotline by text.
  const TEXT_ONLY = new Set(["741741", "838255", "88788"]);
  const COUNT_FROM = 400; // characters left at which the counter shows

  /**
   * @typedef {{id: string, text?: string, button?: string, help_now?: true}} Message
   * @typedef {{id: string, label: string}} Choice
   * @typedef {{seq: number|null, text: string, from?: string, id?: string, buttons?: Choice[]}} Shown
   * @typedef {{message: Message, label: string}} Waiting
   */

  for (const root of document.querySelectorAll("[data-chat]")) {
    if (root instanceof HTMLElement) start(root);
  }

  /** @param {HTMLElement} root */
  function start(root) {
    const part = (/** @type {string} */ name) =>
      /** @type {HTMLElement} */ (root.querySelector(`[data-${name}]`));
    const log = part("log");
    const typing = part("typing");
    const offline = part("offline");
    const left = part("left");
    const form = /** @type {HTMLFormElement} */ (part("form"));
    const field = /** @type {HTMLTextAreaElement} */ (part("text"));
    const words = JSON.parse(root.dataset.words || "{}");
    const clinic = root.dataset.clinic || "";
    const chosenLanguage = root.dataset.chosenLanguage || "";
    const key = `handrail:${clinic}`;

    /** @type {{conversation: string|null, token: string|null, toldLanguage: string, outbox: Waiting[]}} */
    const kept = { conversation: null, token: null, toldLanguage: "", outbox: [], ...stored(key) };
    /** @type {Map<string, HTMLElement>} notes under messages on their way, by message id */
    const notes = new Map();
    const underway = new Set();
    let retryIn = RETRY_FIRST;
    let retryTimer = 0;
    /** @type {Promise<void>|null} */
    let opening = null;

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text) return;
      field.value = "";
      grow();
      say({ id: newId(), text }, text);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    field.addEventListener("input", grow);
    part("help").addEventListener("click", () =>
      say({ id: newId(), help_now: true }, words.help_now),
    );
    window.addEventListener("online", () => flush());
    resume();

    async function resume() {
      if (kept.conversation) {
        const history = await call("GET", `/${kept.conversation}/messages`).catch(() => null);
        if (history && history.ok) {
          for (const message of (await history.json()).messages) draw(message);
          log.scrollTop = log.scrollHeight;
        } else if (history && history.status === 404) {
          forget();
        } else {
          unreachable();
        }
      }
      for (const waiting of kept.outbox) drawOwn(waiting.message.id, waiting.label);
      if (!kept.conversation) await open().catch(unreachable);
      flush();
    }

    /** Begin a conversation; many callers share one attempt. */
    function open() {
      opening ||= (async () => {
        const response = await call("POST", "", { clinic, ...languageChoice() });
        if (!response.ok) throw new Error("not opened");
        kept.toldLanguage = chosenLanguage;
        const opened = await response.json();
        kept.conversation = opened.conversation;
        kept.token = opened.token;
        keep();
        for (const message of opened.messages) draw(message);
        reachable();
      })().finally(() => {
        opening = null;
      });
      return opening;
    }

    /**
     * Say something: it shows at once and is sent as soon as possible.
     * @param {Message} message
     * @param {string} label what the transcript shows
     */
    function say(message, label) {
      closeChoices();
      show(drawOwn(message.id, label));
      kept.outbox.push({ message, label });
      keep();
      deliver(message);
    }

    /** Send everything that waits, in order. */
    async function flush() {
      window.clearTimeout(retryTimer);
      for (const { message } of [...kept.outbox]) {
        if (!(await deliver(message))) return;
      }
      if (!kept.conversation) await open().catch(unreachable);
    }

    /**
     * @param {Message} message
     * @returns {Promise<boolean>} whether the server can be reached
     */
    async function deliver(message) {
      if (underway.has(message.id)) return true;
      underway.add(message.id);
      note(message.id, words.page_sending);
      const slow = window.setTimeout(() => {
        typing.textContent = words.page_typing;
      }, 1000);
      try {
        if (!kept.conversation) await open();
        const response = await call("POST", `/${kept.conversation}/messages`, {
          ...message,
          ...languageChoice(),
        });
        if (response.status === 404) {
          // The server no longer knows the conversation: go on in a new one.
          forget();
          await open();
          underway.delete(message.id);
          return await deliver(withoutButton(message));
        }
        if (response.status >= 500) throw new Error("server trouble");
        kept.outbox = kept.outbox.filter((one) => one.message.id !== message.id);
        if (response.ok) kept.toldLanguage = chosenLanguage;
        keep();
        reachable();
        if (response.ok) {
          note(message.id, "");
          const answer = (await response.json()).messages.map(draw);
          show(answer[0]);
        } else {
          note(message.id, words.page_not_sent);
        }
        return true;
      } catch {
        note(message.id, words.page_not_sent, () => deliver(message));
        unreachable();
        return false;
      } finally {
        underway.delete(message.id);
        window.clearTimeout(slow);
        if (!underway.size) typing.textContent = "";
      }
    }

    /** A button of a lost conversation is said in words. @param {Message} message */
    function withoutButton(message) {
      const waiting = kept.outbox.find((one) => one.message.id === message.id);
      if (!waiting || !message.button) return message;
      waiting.message = { id: message.id, text: waiting.label };
      keep();
      return waiting.message;
    }

    /**
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     */
    function call(method, path, body) {
      /** @type {Record<string, string>} */
      const headers = { Accept: "application/json" };
      if (body) headers["Content-Type"] = "application/json";
      if (kept.token) headers.Authorization = `Bearer ${kept.token}`;
      const stop = new AbortController();
      const timer = window.setTimeout(() => stop.abort(), ANSWER_WITHIN);
      return fetch(`/api/conversations${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: stop.signal,
        credentials: "omit",
      }).finally(() => window.clearTimeout(timer));
    }

    /** The language switch, told once; after that the conversation decides. */
    function languageChoice() {
      return chosenLanguage && chosenLanguage !== kept.toldLanguage
        ? { language: chosenLanguage }
        : {};
    }

    function unreachable() {
      offline.hidden = false;
      window.clearTimeout(retryTimer);
      retryTimer = window.setTimeout(flush, retryIn);
      retryIn = Math.min(retryIn * 2, RETRY_LONGEST);
    }

    function reachable() {
      offline.hidden = true;
      retryIn = RETRY_FIRST;
    }

    function forget() {
      kept.conversation = null;
      kept.token = null;
      kept.toldLanguage = "";
      keep();
    }

    function keep() {
      try {
        sessionStorage.setItem(key, JSON.stringify(kept));
      } catch {
        // Storage is off or full: the chat works until the page is left.
      }
    }

    // --- drawing -------------------------------------------------------------------

    /** @param {Shown} message @returns {HTMLElement} */
    function draw(message) {
      closeChoices();
      if (message.from === "visitor") {
        const own = drawOwn(message.id || "", message.text);
        note(message.id || "", "");
        return own;
      }
      const bubble = add("said assistant", words.page_assistant);
      for (const block of message.text.split(/\n{2,}/)) bubble.append(...paragraph(block));
      if (message.buttons && message.buttons.length) {
        const choices = element("div", "choices");
        for (const choice of message.buttons) {
          const button = element("button", "choice", choice.label);
          button.setAttribute("type", "button");
          button.addEventListener("click", () => {
            field.focus({ preventScroll: true });
            say({ id: newId(), button: choice.id }, choice.label);
          });
          choices.append(button);
        }
        log.append(choices);
      }
      return bubble;
    }

    /** @param {string} id @param {string} text */
    function drawOwn(id, text) {
      const bubble = add("said visitor", words.page_you);
      bubble.append(element("p", "", text));
      const state = element("p", "note");
      state.hidden = true;
      log.append(state);
      notes.set(id, state);
      return bubble;
    }

    /**
     * What stands under a message on its way.
     * @param {string} id @param {string} text @param {() => void} [retry]
     */
    function note(id, text, retry) {
      const state = notes.get(id);
      if (!state) return;
      state.replaceChildren(text);
      state.hidden = !text;
      if (retry) {
        const button = element("button", "retry", words.page_retry);
        button.setAttribute("type", "button");
        button.addEventListener("click", () => {
          field.focus({ preventScroll: true });
          retry();
        });
        state.append(" ", button);
      }
    }

    /** Choices belong to the last message; an answered question shows what was answered. */
    function closeChoices() {
      for (const choices of log.querySelectorAll(".choices")) choices.remove();
    }

    /** @param {string} kind @param {string} speaker */
    function add(kind, speaker) {
      const bubble = element("div", kind);
      bubble.append(element("span", "unseen", speaker));
      log.append(bubble);
      return bubble;
    }

    /**
     * Bring a message into view from its first line on: the first line of a crisis
     * reply matters more than its last.
     * @param {HTMLElement} bubble
     */
    function show(bubble) {
      if (getComputedStyle(log).overflowY === "visible") {
        bubble.scrollIntoView({ block: "start" });
      } else {
        log.scrollTop = bubble.offsetTop - CONTEXT;
      }
    }

    function grow() {
      field.style.height = "auto";
      field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
      const remaining = field.maxLength - field.value.length;
      left.textContent =
        remaining <= COUNT_FROM ? words.page_characters_left.replace("#", String(remaining)) : "";
    }
  }

  /**
   * A paragraph, or a list where lines start with "- ".
   * @param {string} block
   * @returns {HTMLElement[]}
   */
  function paragraph(block) {
    /** @type {HTMLElement[]} */
    const drawn = [];
    for (const line of block.split("\n")) {
      const last = drawn[drawn.length - 1];
      if (line.startsWith("- ")) {
        const list = last && last.tagName === "UL" ? last : element("ul", "");
        if (list !== last) drawn.push(list);
        const item = element("li", "");
        item.append(...linked(line.slice(2)));
        list.append(item);
      } else if (last && last.tagName === "P") {
        last.append(element("br", ""), ...linked(line));
      } else {
        const one = element("p", "");
        one.append(...linked(line));
        drawn.push(one);
      }
    }
    return drawn;
  }

  /**
   * Phone numbers become links to dial; nothing else becomes a link.
   * @param {string} text
   * @returns {(string|HTMLElement)[]}
   */
  function linked(text) {
    const numbers = /(?<![\d-])(?:(?:\+?1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}|988|911|741741|838255|88788)(?![\d-])/g;
    /** @type {(string|HTMLElement)[]} */
    const parts = [];
    let from = 0;
    for (const found of text.matchAll(numbers)) {
      const link = element("a", "", found[0]);
      let digits = found[0].replace(/\D/g, "");
      if (digits.length === 10) digits = `+1${digits}`;
      else if (digits.length === 11) digits = `+${digits}`;
      link.setAttribute("href", `${TEXT_ONLY.has(digits) ? "sms" : "tel"}:${digits}`);
      parts.push(text.slice(from, found.index), link);
      from = found.index + found[0].length;
    }
    return [...parts, text.slice(from)];
  }

  /** @param {string} name @param {string} kind @param {string} [text] */
  function element(name, kind, text) {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
  }

  /** @param {string} key */
  function stored(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key) || "{}");
    } catch {
      return {};
    }
  }
})();
