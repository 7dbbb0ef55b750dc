// @ts-check
/* The website chat: the element <handrail-chat>, and what inserts it (docs/website.md).
 *
 * It runs on pages that it does not know: nothing is stored or requested before it is
 * opened; it draws with text nodes only; the browser's functions are taken before a page
 * can change them, and methods of arrays, which some rewrite, are left alone.
 */
"use strict";

(() => {
  // --- words ----------------------------------------------------------------------
  // Reviewed in bot/gateway/words.yml, section "in the widget"; a test compares them.
  /** @type {Record<string, string[]>} English, Spanish */
  const WORDS = /* words */ {
"help_now": ["I need help now", "Necesito ayuda ahora"],
"launch": ["Chat with us", "Chatee con nosotros"],
"about": ["Automated assistant, not a person", "Asistente automático, no una persona"],
"other_language": ["Español", "English"],
"options": ["Options", "Opciones"],
"close": ["Close chat", "Cerrar el chat"],
"exit": ["Quick exit", "Salida rápida"],
"save": ["Save this chat", "Guardar este chat"],
"print": ["Print this chat", "Imprimir este chat"],
"clear": ["Clear this chat", "Borrar este chat"],
"clear_sure": ["Clear the chat here and on our side? What was passed on to our team stays with them.", "¿Borrar el chat aquí y de nuestro lado? Lo que ya pasamos a nuestro equipo se queda con ellos."],
"clear_yes": ["Yes, clear it", "Sí, borrarlo"],
"clear_no": ["No, keep it", "No, conservarlo"],
"remember": ["Remember this chat on this device", "Recordar este chat en este dispositivo"],
"remember_note": ["Not on a device that others use.", "No en un dispositivo que usan otras personas."],
"log": ["Conversation", "Conversación"],
"intro": ["This chat is not for emergencies.", "Este chat no es para emergencias."],
"intro_exit": ["Quick exit leaves this site and clears the chat from it, and so does pressing Shift three times. It cannot erase your browser history.", "La salida rápida deja este sitio y borra el chat de aquí; también presionar Mayús (Shift) tres veces. No puede borrar el historial de su navegador."],
"newer": ["New message", "Mensaje nuevo"],
"write": ["Your message", "Su mensaje"],
"send": ["Send", "Enviar"],
"left": ["{count} characters left", "Quedan {count} caracteres"],
"too_long": ["Thank you for telling us so much. Please shorten it by {count} characters, or send it in parts.", "Gracias por contarnos tanto. Por favor, acórtelo en {count} caracteres o mándelo por partes."],
"lines_help": ["You can reach a person right now:", "Puede hablar con una persona ahora mismo:"],
"unreachable": ["I can't reach our server. What you write is kept here and sent when it is back. At any time you can call or text:", "No puedo conectar con nuestro servidor. Lo que escriba queda aquí y se enviará cuando vuelva. A cualquier hora puede llamar o escribir a:"],
"cannot_start": ["The chat can't start on this page. You can call or text:", "El chat no puede empezar en esta página. Puede llamar o escribir a:"],
"call_911": ["Call 911", "Llamar al 911"],
"call_988": ["Call 988", "Llamar al 988"],
"text_988": ["Text 988", "Texto al 988"],
"call_clinic": ["Call our team {line}", "Llamar a nuestro equipo {line}"],
"line_open": ["Our phone line is open:", "Nuestra línea está abierta:"],
"line_closed": ["Our phone line is closed now.", "Nuestra línea está cerrada ahora."],
"by_visitor": ["You said:", "Usted dijo:"],
"by_assistant": ["Assistant said:", "El asistente dijo:"],
"by_staff": ["Our team said:", "Nuestro equipo dijo:"],
"choices": ["Answers to choose from", "Respuestas para elegir"],
"sending": ["Sending…", "Enviando…"],
"failed": ["Not sent.", "No se envió."],
"again": ["Try again", "Intentar de nuevo"],
"busy": ["That was fast. It is sent in a moment. In danger, call 911, or call or text 988.", "Eso fue rápido. Se envía en un momento. Si está en peligro, llame al 911, o llame o escriba al 988."],
"long": ["Too long to send. Please shorten it.", "Es demasiado largo para enviarlo. Por favor, acórtelo."],
"refused": ["This could not be sent. Please say it in other words.", "No se pudo enviar. Por favor, dígalo con otras palabras."],
"typing": ["An answer is being written", "Se está escribiendo una respuesta"],
"ended_lost": ["The earlier chat has ended. We start again from here.", "El chat anterior terminó. Empezamos de nuevo desde aquí."],
"ended_elsewhere": ["This chat was ended.", "Este chat se terminó."],
"ended_cleared": ["The chat was cleared.", "El chat se borró."],
"start_again": ["Start a new chat", "Empezar un chat nuevo"]
} /* end of words */;

  // --- the browser ----------------------------------------------------------------

  const { fetch, setTimeout, clearTimeout, crypto, AbortController, TextDecoder } = window;
  const { URL, Blob, Promise, Map, Set, Date, BroadcastChannel, CSSStyleSheet } = window;
  const { parse, stringify } = JSON;
  const { min, max, random } = Math;
  const { isArray } = Array;
  const { keys, setPrototypeOf } = Object;
  const create = document.createElement.bind(document);
  const createDrawn = document.createElementNS.bind(document, "http://www.w3.org/2000/svg");

  /** JSON that a page's own `toJSON` cannot spoil. @param {unknown} value */
  function json(value) {
    const bare = (/** @type {any} */ one) => {
      if (typeof one !== "object" || one === null) return one;
      /** @type {any} */
      const copy = isArray(one) ? [] : {};
      for (const name of keys(one)) copy[name] = bare(one[name]);
      return setPrototypeOf(copy, null);
    };
    return stringify(bare(value));
  }

  /** 128 random bits. */
  function newId() {
    let id = "";
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) {
      id += (byte + 256).toString(16).slice(1);
    }
    return id;
  }

  /** @param {number} milliseconds */
  const pause = (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds));

  /**
   * @param {string} tag "name" or "name.class"
   * @param {Record<string, string>} [attributes]
   * @param {...(Node|string)} children
   * @returns {any}
   */
  function h(tag, attributes, ...children) {
    const [name, kind] = tag.split(".");
    const made = create(name);
    if (kind) made.className = kind;
    for (const each of keys(attributes || {})) {
      made.setAttribute(each, /** @type {any} */ (attributes)[each]);
    }
    made.append(...children);
    return made;
  }

  /** @param {string} path of a 24 x 24 drawing */
  function icon(path) {
    const drawing = createDrawn("svg");
    drawing.setAttribute("viewBox", "0 0 24 24");
    drawing.setAttribute("aria-hidden", "true");
    const line = createDrawn("path");
    line.setAttribute("d", path);
    drawing.append(line);
    return drawing;
  }

  // --- text -----------------------------------------------------------------------

  // Numbers that take text messages only: Crisis Text Line, Veterans Crisis Line,
  // National Domestic Violence Hotline.
  const TEXT_ONLY = new Set(["741741", "838255", "88788"]);
  const NUMBERS =
    "(?<![\\w/.@-])(?:(?:\\+?1[-. ])?\\(?\\d{3}\\)?[-. ]\\d{3}[-. ]\\d{4}|988|911|741741|838255|88788)(?![\\w-])";
  /** Replies to a person in danger, by the reviewed text's name. */
  const URGENT = /^(crisis|emergency|help_now)/;

  /** @param {string} number as written; what a link dials */
  function dialled(number) {
    const digits = number.replace(/\D/g, "");
    if (digits.length === 10) return `+1${digits}`;
    return digits.length === 11 ? `+${digits}` : digits;
  }

  /**
   * Known phone numbers become links to dial, allow-listed addresses become links.
   * @param {Element} into @param {string} text @param {string[]} hosts that may be linked to
   */
  function appendLinked(into, text, hosts) {
    let addresses = "";
    for (const host of hosts) {
      const name = host.replace(/[^\w-]/g, "\\$&");
      addresses += `|(?<![\\w.@:/-])(?:https://)?(?:www\\.)?${name}(?![\\w@-]|[.:]\\w)(?:/[\\w/-]*)?`;
    }
    const known = new RegExp(NUMBERS + addresses, "gi");
    let from = 0;
    for (let found = known.exec(text); found; found = known.exec(text)) {
      const shown = found[0];
      const number = dialled(shown);
      const link = /[a-z]/i.test(shown)
        ? h("a", {
            href: /^https:/i.test(shown) ? shown : `https://${shown}`,
            target: "_blank",
            rel: "noopener noreferrer",
          })
        : h("a", { href: `${TEXT_ONLY.has(number) ? "sms" : "tel"}:${number}` });
      link.append(shown);
      into.append(text.slice(from, found.index), link);
      from = found.index + shown.length;
    }
    into.append(text.slice(from));
  }

  /**
   * A message's text as nodes: paragraphs at blank lines, lists where lines start "- ".
   * @param {string} text @param {string[]} hosts
   */
  function drawn(text, hosts) {
    const blocks = new DocumentFragment();
    for (const block of text.split(/\n{2,}/)) {
      let last = null;
      for (const line of block.split("\n")) {
        const item = line.startsWith("- ");
        if (!last || item !== (last.tagName === "UL")) {
          last = h(item ? "ul" : "p");
          blocks.append(last);
        } else if (!item) {
          last.append(h("br"));
        }
        const into = item ? last.appendChild(h("li")) : last;
        appendLinked(into, item ? line.slice(2) : line, hosts);
      }
    }
    return blocks;
  }

  // --- the line to the server -------------------------------------------------------

  const ANSWER_WITHIN = 10000; // ms; the server answers within 8 s
  const PATIENCE = 10000; // ms without a server before the phone lines show
  const RETRY_FIRST = 1000;
  const RETRY_LONGEST = 20000;
  const SILENCE = 40000; // ms; the server pings every 15 s
  const LOOK_AGAIN = 3000; // ms between look-ups where streams do not get through
  const LOOK_AGAIN_HIDDEN = 20000;
  const OTHER_TABS_ANSWER = 100; // ms

  /**
   * @typedef {{id: string, label: string}} Choice
   * @typedef {{seq: number|null, text: string, from?: string, id?: string,
   *   buttons?: Choice[], response?: string}} Message
   * @typedef {{id: string, label: string, text?: string, button?: string,
   *   help_now?: true, moved?: true}} Waiting a message that has not arrived yet
   * @typedef {{conversation: string, token: string}} Key
   * @typedef {{
   *   waiting(waiting: Waiting): void,
   *   message(message: Message, history: boolean): void,
   *   delivery(id: string, how: "sending"|"sent"|"failed"|"busy"|"long"|"refused", seq?: number): void,
   *   language(): void,
   *   ended(how: "lost"|"elsewhere"|"cleared"): void,
   *   typing(): void,
   *   reachable(yes: boolean): void,
   *   refused(): void,
   * }} Listener
   */

  /** The server does not take a request now; `seconds` until it may. */
  class Later extends Error {
    /** @param {number} seconds */
    constructor(seconds) {
      super("later");
      this.seconds = seconds;
    }
  }
  /**
   * A storage of the browser; null where it is switched off: then the chat works until
   * the page is left.
   * @param {"sessionStorage"|"localStorage"} name
   */
  function storage(name) {
    try {
      return window[name];
    } catch {
      return null;
    }
  }

  /**
   * One visitor's conversation, over page loads, tabs and bad networks.
   *
   * Every message gets its id here and waits in the outbox until the server has answered
   * it; the same id again gets the same answer: nothing is lost or said twice. The
   * server's sequence numbers are the order, and what was seen is known by them.
   */
  class Line {
    /**
     * @param {string} server its address, ending in a slash
     * @param {string} clinic
     * @param {string} language of the page, until the conversation or the visitor decides
     * @param {Listener} on
     */
    constructor(server, clinic, language, on) {
      this.server = server;
      this.clinic = clinic;
      this.on = on;
      this.pageLanguage = language;
      this.place = `handrail:${clinic}`;
      /** @type {{key: Key|null, outbox: Waiting[], ending: Key[], open: boolean,
       *   chosen: string, told: string, spoken: string}} */
      this.kept = { key: null, outbox: [], ending: [], open: false, chosen: "", told: "", spoken: "" };
      this.remembered = Boolean(this.stored("localStorage"));
      for (const found of [this.stored("localStorage"), this.stored("sessionStorage")]) {
        for (const name of keys(found || {})) {
          /** @type {any} */ (this.kept)[name] = found[name];
        }
      }
      this.seen = new Set();
      this.cursor = 0; // the last message that came by stream or look-up; all before it came too
      this.begun = false;
      this.resting = false; // ended elsewhere: nothing begins before the visitor acts
      this.over = false;
      this.past = false; // what comes first was said on an earlier page
      this.underway = new Set();
      /** @type {Set<AbortController>} */
      this.requests = new Set();
      /** @type {AbortController|null} */
      this.streaming = null;
      /** @type {Promise<void>|null} */
      this.opening = null;
      this.following = "";
      this.retryIn = RETRY_FIRST;
      this.retryTimer = 0;
      this.alarm = 0;
      /** @type {BroadcastChannel|null} */
      this.tabs = null;
    }

    get language() {
      return this.kept.chosen || this.kept.spoken || this.pageLanguage;
    }

    // --- what this browser keeps

    /** @param {"sessionStorage"|"localStorage"} name */
    stored(name) {
      try {
        return parse(storage(name)?.getItem(this.place) || "null");
      } catch {
        return null; // not ours
      }
    }

    keep() {
      if (this.over) return;
      try {
        storage("sessionStorage")?.setItem(this.place, json(this.kept));
        if (!this.remembered) storage("localStorage")?.removeItem(this.place);
        else storage("localStorage")?.setItem(this.place, json({ key: this.kept.key }));
      } catch {
        // Storage is full: the chat works until the page is left.
      }
    }

    /** @param {boolean} yes keep the conversation when the browser is closed */
    remember(yes) {
      this.remembered = yes;
      this.keep();
    }

    /** @param {string} language that the visitor chose */
    choose(language) {
      this.kept.chosen = language;
      this.keep();
    }

    /** Whether this tab still has the conversation; not so after a quick exit. */
    stillKept() {
      const found = this.stored("sessionStorage") || this.stored("localStorage");
      return found?.key?.conversation === this.kept.key?.conversation;
    }

    // --- the visitor's acts

    /** The visitor opened the chat: from now on there are requests. */
    async begin() {
      if (this.begun) return;
      this.begun = true;
      this.meetOtherTabs();
      for (const waiting of this.kept.outbox) this.on.waiting(waiting);
      if (!this.kept.key) await this.borrow();
      if (this.kept.key) {
        this.past = true;
        await this.lookBack().catch((error) => this.trouble(error));
        this.follow();
      }
      await this.flush();
    }

    /**
     * Say something: it shows at once and is sent as soon as possible.
     * @param {{text: string}|{button: string}|{help_now: true}} said
     * @param {string} label what the transcript shows
     */
    say(said, label) {
      const waiting = { ...said, id: newId(), label };
      this.kept.outbox[this.kept.outbox.length] = waiting;
      this.resting = false;
      this.keep();
      this.on.waiting(waiting);
      this.deliver(waiting);
    }

    /** Try everything again that has not arrived. */
    async flush() {
      clearTimeout(this.retryTimer);
      if (this.over) return;
      try {
        if (!this.kept.key && !this.resting) await this.open();
        for (const waiting of [...this.kept.outbox]) {
          if (!(await this.deliver(waiting))) return;
        }
        for (const key of [...this.kept.ending]) await this.end(key);
      } catch (error) {
        this.trouble(error);
      }
    }

    startAgain() {
      this.resting = false;
      return this.flush();
    }

    /** End the conversation here and on the server, and begin a new one. */
    clear() {
      const { key } = this.kept;
      if (key) {
        this.kept.ending = [...this.kept.ending, key];
        this.tabs?.postMessage({ gone: key.conversation });
      }
      this.kept.outbox = [];
      this.drop();
      this.on.ended("cleared");
      return this.flush();
    }

    /** Quick exit: leave nothing behind. */
    wipe() {
      const { key } = this.kept;
      this.stop();
      storage("sessionStorage")?.removeItem(this.place);
      storage("localStorage")?.removeItem(this.place);
      if (!key) return;
      this.tabs?.postMessage({ gone: key.conversation });
      // The page is being left: nobody is here to hear of a failure.
      this.fetch("DELETE", `/${key.conversation}`, key, { keepalive: true }).catch(() => {});
    }

    /** No more requests from here. */
    stop() {
      this.over = true;
      clearTimeout(this.retryTimer);
      clearTimeout(this.alarm);
      for (const request of this.requests) request.abort();
    }

    // --- requests

    /**
     * @param {string} method @param {string} path @param {Key|null} key
     * @param {RequestInit & {headers?: Record<string, string>}} [more]
     */
    fetch(method, path, key, more) {
      /** @type {Record<string, string>} */
      const headers = { "Accept-Language": this.language, ...more?.headers };
      if (key) headers.Authorization = `Bearer ${key.token}`;
      return fetch(`${this.server}api/conversations${path}`, {
        method,
        credentials: "omit",
        cache: "no-store",
        ...more,
        headers,
      });
    }

    /**
     * @param {string} method @param {string} path @param {Key|null} key
     * @param {object} [body]
     * @returns {Promise<{ok: boolean, gone: boolean, status: number, data: any}>}
     * @throws {Later} if the server asks to wait; another error if it cannot be reached.
     */
    async ask(method, path, key, body) {
      const stop = new AbortController();
      this.requests.add(stop);
      const timer = setTimeout(() => stop.abort(), ANSWER_WITHIN);
      try {
        const response = await this.fetch(method, path, key, {
          signal: stop.signal,
          ...(body && { body: json(body), headers: { "Content-Type": "application/json" } }),
        });
        const { ok, status } = response;
        if (status === 429) throw new Later(Number(response.headers.get("Retry-After")) || 5);
        if (status >= 500) throw new Error("server trouble");
        const data = ok && status !== 204 ? await response.json() : null;
        return { ok, gone: status === 404 || status === 401, status, data };
      } finally {
        clearTimeout(timer);
        this.requests.delete(stop);
      }
    }

    /** Begin a conversation; many callers share one attempt. */
    open() {
      this.opening =
        this.opening ||
        this.openOnce().finally(() => {
          this.opening = null;
        });
      return this.opening;
    }

    async openOnce() {
      this.watch();
      const { chosen } = this.kept;
      const answer = await this.ask("POST", "", null, {
        clinic: this.clinic,
        ...(chosen && { language: chosen }),
      });
      this.fine();
      if (!answer.ok) {
        this.on.refused();
        throw new Later(Infinity);
      }
      const { conversation, token, messages } = answer.data;
      this.kept.key = { conversation, token };
      this.kept.told = chosen;
      this.keep();
      for (const message of messages) this.take(message, false);
      this.follow();
    }

    /**
     * @param {Waiting} waiting
     * @returns {Promise<boolean>} whether the server can be reached
     */
    async deliver(waiting) {
      if (this.underway.has(waiting.id)) return true;
      this.underway.add(waiting.id);
      this.on.delivery(waiting.id, "sending");
      this.watch();
      try {
        await this.send(waiting);
        return true;
      } catch (error) {
        if (this.over) return false;
        const { outbox } = this.kept;
        // The stream may have told that it arrived, though its answer was lost.
        if (without(outbox, "id", waiting.id).length === outbox.length) return true;
        const busy = error instanceof Later && error.seconds < Infinity;
        this.on.delivery(waiting.id, busy ? "busy" : "failed");
        this.trouble(error);
        return false;
      } finally {
        this.underway.delete(waiting.id);
      }
    }

    /** @param {Waiting} waiting @returns {Promise<void>} */
    async send(waiting) {
      if (!this.kept.key) await this.open();
      const key = /** @type {Key} */ (this.kept.key);
      const { label, moved, ...said } = waiting;
      const { chosen, told } = this.kept;
      const answer = await this.ask("POST", `/${key.conversation}/messages`, key, {
        ...said,
        ...(chosen !== told && { language: chosen }),
      });
      this.fine();
      if (answer.gone && !moved) {
        // The server no longer knows the conversation: what was said goes into a new one.
        this.lost(key);
        waiting.moved = true;
        return this.send(inWords(waiting));
      }
      if (answer.gone) throw new Error("conversations do not last");
      if (answer.status === 422 && waiting.button) return this.send(inWords(waiting));
      this.settle(waiting.id);
      if (!answer.ok) {
        this.on.delivery(waiting.id, answer.status === 413 ? "long" : "refused");
        return;
      }
      const { messages, state } = answer.data;
      const first = messages.length ? messages[0].seq : null;
      this.on.delivery(waiting.id, "sent", first === null ? undefined : first - 1);
      for (const message of messages) this.take(message, false);
      const before = this.language;
      this.kept.told = chosen;
      this.kept.spoken = state.language;
      this.keep();
      if (before !== this.language) this.on.language();
    }

    /** @param {Key} key of a conversation to be ended on the server */
    async end(key) {
      await this.ask("DELETE", `/${key.conversation}`, key);
      this.kept.ending = without(this.kept.ending, "conversation", key.conversation);
      this.keep();
    }

    // --- what the server says

    /** Hear what is said, from whatever side, as long as this conversation lasts. */
    async follow() {
      const { key } = this.kept;
      if (!key || this.following === key.conversation) return;
      this.following = key.conversation;
      while (this.is(key)) {
        try {
          await this.stream(key);
        } catch {
          // Cut off, or streams do not get through: what was missed is looked up.
        }
        if (!this.is(key)) break;
        try {
          await this.lookBack();
        } catch (error) {
          this.watch();
          this.trouble(error);
        }
        await pause(document.hidden ? LOOK_AGAIN_HIDDEN : LOOK_AGAIN);
      }
      if (this.following === key.conversation) this.following = "";
    }

    /** @param {Key} key */
    is(key) {
      return !this.over && this.kept.key?.conversation === key.conversation;
    }

    /** What was said since we last knew. */
    async lookBack() {
      const key = /** @type {Key} */ (this.kept.key);
      const path = `/${key.conversation}/messages?after=${this.cursor}`;
      const answer = await this.ask("GET", path, key);
      if (!this.is(key)) return;
      this.fine();
      if (answer.gone) {
        this.lost(key);
        this.flush();
      } else if (answer.ok) {
        for (const message of answer.data.messages) {
          this.take(message, this.past);
          this.cursor = max(this.cursor, message.seq);
        }
        this.past = false;
        if (this.kept.outbox.length && !this.underway.size) this.flush();
      }
    }

    /**
     * Server-sent events, read by fetch because EventSource sends no token.
     * @param {Key} key
     */
    async stream(key) {
      const stop = new AbortController();
      this.streaming = stop;
      this.requests.add(stop);
      let timer = setTimeout(() => stop.abort(), ANSWER_WITHIN);
      try {
        const response = await this.fetch("GET", `/${key.conversation}/events`, key, {
          signal: stop.signal,
          headers: { Accept: "text/event-stream", "Last-Event-ID": String(this.cursor) },
        });
        if (!response.ok || !response.body) return stop.abort();
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        let rest = "";
        let event = { kind: "message", data: "" };
        for (;;) {
          clearTimeout(timer);
          timer = setTimeout(() => stop.abort(), SILENCE);
          const { done, value } = await reader.read();
          if (done || !this.is(key)) return;
          this.fine();
          const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
          rest = lines[lines.length - 1];
          for (let at = 0; at < lines.length - 1; at += 1) {
            const line = lines[at];
            if (line === "") {
              this.happened(event.kind, event.data, key);
              event = { kind: "message", data: "" };
            } else if (line.startsWith("event:")) event.kind = line.slice(6).trim();
            else if (line.startsWith("data:")) event.data += line.slice(5);
          }
        }
      } finally {
        clearTimeout(timer);
        this.requests.delete(stop);
      }
    }

    /** @param {string} kind @param {string} data @param {Key} key */
    happened(kind, data, key) {
      if (kind === "message" && data) {
        const message = parse(data);
        this.take(message, this.past);
        this.cursor = max(this.cursor, message.seq);
      } else if (kind === "typing") this.on.typing();
      else if (kind === "ended") this.endedElsewhere(key.conversation);
    }

    /** @param {Message} message @param {boolean} history */
    take(message, history) {
      if (message.seq !== null) {
        if (this.seen.has(message.seq)) return;
        this.seen.add(message.seq);
      }
      if (message.from === "visitor" && message.id) this.settle(message.id);
      this.on.message(message, history);
    }

    /** @param {string} id of a message that has arrived, or never will */
    settle(id) {
      this.kept.outbox = without(this.kept.outbox, "id", id);
      this.keep();
    }

    // --- endings

    /** @param {Key} key of a conversation that the server does not know any more */
    lost(key) {
      if (!this.is(key)) return;
      this.drop();
      this.on.ended("lost");
    }

    /** @param {string} conversation */
    endedElsewhere(conversation) {
      if (this.kept.key?.conversation !== conversation) return;
      this.kept.outbox = [];
      this.resting = true;
      this.drop();
      this.on.ended("elsewhere");
    }

    drop() {
      this.kept.key = null;
      this.kept.told = "";
      this.seen = new Set();
      this.cursor = 0;
      this.past = false;
      this.streaming?.abort();
      this.keep();
    }

    // --- other tabs of the same site

    meetOtherTabs() {
      this.tabs = new BroadcastChannel(this.place);
      this.tabs.addEventListener("message", ({ data }) => {
        if (this.over) return;
        if (data.gone) this.endedElsewhere(data.gone);
        else if (data.ask && this.kept.key) this.tabs?.postMessage({ key: this.kept.key });
        else if (data.key && !this.kept.key && !this.opening) {
          this.kept.key = data.key;
          this.keep();
        }
      });
    }

    /** Go on with the conversation of another open tab, if there is one. */
    async borrow() {
      this.tabs?.postMessage({ ask: true });
      await pause(OTHER_TABS_ANSWER);
    }

    // --- trouble

    watch() {
      if (!this.alarm) this.alarm = setTimeout(() => this.on.reachable(false), PATIENCE);
    }

    fine() {
      clearTimeout(this.alarm);
      this.alarm = 0;
      this.retryIn = RETRY_FIRST;
      this.on.reachable(true);
    }

    /** @param {unknown} error */
    trouble(error) {
      const busy = error instanceof Later;
      if (this.over || (busy && error.seconds === Infinity)) return;
      if (busy) this.fine();
      if (busy && !this.kept.key) this.on.reachable(false);
      const wait = busy ? error.seconds * 1000 : this.retryIn * (0.75 + random() / 2);
      this.retryIn = min(this.retryIn * 2, RETRY_LONGEST);
      clearTimeout(this.retryTimer);
      this.retryTimer = setTimeout(() => this.flush(), wait);
    }
  }

  /**
   * The list without the entries whose `name` is `value`.
   * @param {any[]} list @param {string} name @param {string} value
   */
  function without(list, name, value) {
    const others = [];
    for (const one of list) if (one[name] !== value) others[others.length] = one;
    return others;
  }

  /** A button that the server does not know is said in words. @param {Waiting} waiting */
  function inWords(waiting) {
    if (waiting.button) {
      waiting.text = waiting.label;
      delete waiting.button;
    }
    return waiting;
  }

  // --- the element ------------------------------------------------------------------

  const LIMIT = 4000; // characters; the assistant reads no more
  const COUNT_FROM = 3600;
  const NEUTRAL = "https://www.weather.gov/";
  const EXIT_PRESSES = 3;
  const EXIT_WITHIN = 5000; // ms from one press of Shift to the next
  const TYPING_AFTER = 400; // ms
  const TYPING_SAID_AFTER = 2000;
  const TYPING_FOR = 5000; // when it comes from elsewhere
  const SAID_FOR = 5000; // how long an announcement stays for screen readers
  const NEAR = 120; // px from the end that count as being there
  const CONTEXT = 56; // px of what came before that stay in view above an answer
  const DIALS = [
    ["tel:911", "call_911"],
    ["tel:988", "call_988"],
    ["sms:988", "text_988"],
  ];
  const ICONS = {
    chat: "M4 5h16v11H9l-5 4V5Z M8 9.5h8 M8 12.5h5",
    close: "M6 6l12 12 M18 6L6 18",
    more: "M5 12h.01 M12 12h.01 M19 12h.01",
    send: "M12 19V5 M6 11l6-6 6 6",
    exit: "M14 8V5H5v14h9v-3 M10 12h10 M17 9l3 3-3 3",
    phone: "M7 4h3l1.5 4-2 1.5a11 11 0 0 0 5 5l1.5-2 4 1.5v3a2 2 0 0 1-2 2A14 14 0 0 1 5 6a2 2 0 0 1 2-2Z",
  };

  /** The chat; its attributes and custom properties are in docs/website.md. */
  class HandrailChat extends HTMLElement {
    constructor() {
      super();
      this.root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.root.adoptedStyleSheets = [sheet];
    }

    connectedCallback() {
      const asked = this.getAttribute("language") || document.documentElement.lang || navigator.language;
      const language = /^es/i.test(asked) ? "es" : "en";
      this.floats = this.getAttribute("mode") !== "page";
      /** @type {{name?: string, phone?: {display: string}|null, open?: boolean,
       *   opens?: string|null, origins?: string[], exit?: string|null, accent?: string|null}} */
      this.info = {};
      this.line = new Line(SERVER, this.getAttribute("clinic") || "", language, {
        waiting: (waiting) => this.drawOwn(waiting.id, waiting.label),
        message: (message, history) => this.draw(message, history),
        delivery: (id, how, seq) => this.showDelivery(id, how, seq),
        language: () => this.speak(),
        ended: (how) => this.ended(how),
        typing: () => this.showTyping(TYPING_FOR),
        reachable: (yes) => this.reachable(yes),
        refused: () => this.showLines("cannot_start"),
      });
      /** @type {Map<HTMLElement, {seq: number, who: string, text: string}>} */
      this.facts = new Map();
      /** @type {Map<string, HTMLElement>} the visitor's own messages by id */
      this.own = new Map();
      this.latest = this.erased = 0;
      this.build();
      this.translate();
      this.listen();
      if (!this.floats || this.line.kept.open) this.open(false);
    }

    disconnectedCallback() {
      this.gone?.abort();
      this.line?.stop();
      this.root.replaceChildren();
    }

    // --- building

    /**
     * Let an element, or an attribute of it, say a word in the present language.
     * @param {any} node @param {string} word @param {string} [attribute]
     */
    label(node, word, attribute) {
      const put = () =>
        attribute ? node.setAttribute(attribute, this.word(word)) : node.replaceChildren(this.word(word));
      this.labels[this.labels.length] = put;
      put();
      return node;
    }

    /** @param {string} tag @param {string} word @param {Record<string, string>} [attributes] */
    said(tag, word, attributes) {
      return this.label(h(tag, attributes), word);
    }

    /**
     * @param {string} kind its class; an "icon" shows the drawing alone
     * @param {string} word
     * @param {() => void} act
     * @param {string} [drawing]
     */
    button(kind, word, act, drawing) {
      const made = h(`button.${kind}`, { type: "button" });
      if (drawing) made.append(icon(drawing));
      if (kind.startsWith("icon")) this.label(made, word, "aria-label");
      else made.append(this.said("span", word));
      made.addEventListener("click", act);
      return made;
    }

    build() {
      /** @type {(() => void)[]} what to do again in another language */
      this.labels = [];
      this.launcher = this.button("launcher", "launch", () => this.open(true), ICONS.chat);
      this.launcher.setAttribute("aria-haspopup", "dialog");
      this.badge = h("span.badge", { hidden: "" });
      this.launcher.append(this.badge);

      this.heading = h(this.floats ? "h2" : "h1", { id: "title" });
      this.languageButton = this.button("plain", "other_language", () => this.switchLanguage());
      this.menuButton = this.button("icon", "options", () => this.toggleMenu(), ICONS.more);
      const close = this.button("icon close", "close", () => this.close(), ICONS.close);
      const header = h(
        "header",
        {},
        this.heading,
        this.said("p", "about"),
        this.languageButton,
        this.menuButton,
        close,
      );

      this.remember = h("input", { type: "checkbox", id: "remember" });
      this.remember.addEventListener("change", () => this.line.remember(this.remember.checked));
      this.asking = h("div.asking", { hidden: "" },
        this.said("p", "clear_sure"),
        this.button("quiet", "clear_yes", () => this.clear()),
        this.button("quiet", "clear_no", () => this.askToClear(false)),
      );
      this.clearButton = this.button("item", "clear", () => this.askToClear(true));
      this.menu = h("div.menu", { role: "group", hidden: "" },
        this.button("item", "save", () => this.save()),
        this.button("item", "print", () => this.print()),
        this.clearButton,
        this.asking,
        h("label.item", { for: "remember" }, this.remember, this.said("span", "remember")),
        this.said("p.note", "remember_note"),
      );
      this.label(this.menu, "options", "aria-label");

      const safety = h("div.safety", {},
        this.button("help", "help_now", () => this.help()),
        this.button("exit", "exit", () => this.leave(), ICONS.exit),
      );

      this.linesTitle = h("p");
      this.linesList = h("div.dial");
      this.lines = h("div.lines", { hidden: "" }, this.linesTitle, this.linesList);

      this.typing = h("div.typing", { "aria-hidden": "true", hidden: "" });
      this.typing.append(h("i"), h("i"), h("i"));
      this.log = h("div.log", { role: "log", "aria-live": "off" });
      this.label(this.log, "log", "aria-label");
      this.scroll = h("div.scroll", { tabindex: "0", role: "group" },
        h("p.intro", {}, this.said("span", "intro"), " ", this.said("span", "intro_exit")),
        this.log,
        this.typing,
      );
      this.label(this.scroll, "log", "aria-label");
      this.newer = this.button("newer", "newer", () => this.toEnd());
      this.newer.hidden = true;

      this.field = h("textarea", {
        id: "field",
        rows: "1",
        autocomplete: "off",
        "aria-describedby": "count",
      });
      this.label(this.field, "write", "placeholder");
      this.count = h("p", { id: "count", class: "count" });
      const send = this.button("icon send", "send", () => {}, ICONS.send);
      send.type = "submit";
      this.hours = h("p.hours");
      this.form = h(
        "form",
        {},
        this.said("label.unseen", "write", { for: "field" }),
        h("div.field", {}, this.field, send),
        this.count,
        this.hours,
      );

      this.panel = h(
        "section",
        { id: "panel", role: this.floats ? "dialog" : "main", "aria-labelledby": "title", tabindex: "-1" },
        header,
        this.menu,
        safety,
        this.lines,
        this.scroll,
        this.newer,
        this.form,
      );
      this.panel.hidden = this.floats;
      close.hidden = this.launcher.hidden = !this.floats;
      this.announcer = h("div.unseen", { "aria-live": "polite" });
      const all = h("div", {}, this.launcher, this.panel, this.announcer);
      if (this.floats) this.label(all, "launch", "aria-label").setAttribute("role", "region");
      this.root.append(all);
    }

    listen() {
      this.gone = new AbortController();
      const { signal } = this.gone;
      this.form.addEventListener("submit", (/** @type {Event} */ event) => {
        event.preventDefault();
        this.submit();
      });
      this.field.addEventListener("input", () => this.grow());
      this.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          this.submit();
        }
      });
      this.panel.addEventListener("scroll", () => (this.newer.hidden ||= this.atEnd()), true);
      this.panel.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        if (!this.menu.hidden) this.toggleMenu();
        else if (this.floats) this.close();
      });
      // What is typed here is none of the page's business (shortcuts, key loggers).
      for (const kind of ["keydown", "keypress", "keyup", "input", "paste", "copy"]) {
        this.root.addEventListener(kind, (event) => event.stopPropagation());
      }
      this.listenForExit(signal);
      window.addEventListener("online", () => this.line.begun && this.line.flush(), { signal });
      // A stream would keep the page out of the browser's memory for Back.
      window.addEventListener("pagehide", () => this.line.streaming?.abort(), { signal });
      window.addEventListener(
        "pageshow",
        (event) => {
          if (event.persisted && !this.line.stillKept()) this.forget();
        },
        { signal },
      );
      const view = window.visualViewport;
      view?.addEventListener(
        "resize",
        // The on-screen keyboard covers part of a phone's screen.
        () => this.panel.style.setProperty("--seen", `${view.height}px`),
        { signal },
      );
    }

    /** Shift three times, alone each time, leaves. @param {AbortSignal} signal */
    listenForExit(signal) {
      let presses = 0;
      let last = 0;
      let alone = false;
      const down = (/** @type {KeyboardEvent} */ event) => {
        alone = event.key === "Shift";
        if (!alone) presses = 0;
      };
      const up = (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Shift" || !alone || this.panel.hidden) return;
        presses = Date.now() - last > EXIT_WITHIN ? 1 : presses + 1;
        last = Date.now();
        if (presses === EXIT_PRESSES) this.leave();
      };
      window.addEventListener("keydown", down, { signal, capture: true });
      window.addEventListener("keyup", up, { signal, capture: true });
    }

    // --- words

    /** @param {string} name @param {Record<string, string|number>} [values] */
    word(name, values) {
      let text = WORDS[name][this.line.language === "es" ? 1 : 0];
      for (const key of keys(values || {})) {
        text = text.replace(`{${key}}`, () => String(/** @type {any} */ (values)[key]));
      }
      return text;
    }

    translate() {
      const { language } = this.line;
      this.root.firstElementChild?.setAttribute("lang", language);
      for (const put of this.labels || []) put();
      this.languageButton.setAttribute("lang", language === "en" ? "es" : "en");
      this.showInfo();
    }

    speak() {
      this.translate();
      this.inquire();
    }

    switchLanguage() {
      this.line.choose(this.line.language === "en" ? "es" : "en");
      this.speak();
      // Nothing was said yet: the greeting can come in the chosen language.
      if (this.line.begun && !this.own.size) this.line.clear();
    }

    // --- opening and closing

    /** @param {boolean} byVisitor and not because it was open on the page before */
    open(byVisitor) {
      this.panel.hidden = false;
      this.launcher.hidden = true;
      this.badge.hidden = true;
      this.remember.checked = this.line.remembered;
      if (this.floats) {
        this.line.kept.open = true;
        this.line.keep();
      }
      this.line.begin();
      this.inquire();
      // On a touch screen the field would bring up the keyboard before a word was read.
      if (byVisitor) (touches() ? this.panel : this.field).focus();
    }

    close() {
      const inside = this.root.activeElement;
      this.panel.hidden = true;
      this.launcher.hidden = false;
      this.menu.hidden = true;
      this.line.kept.open = false;
      this.line.keep();
      if (inside) this.launcher.focus();
    }

    /** Name, phone line and hours; the chat works without them. */
    async inquire() {
      const { clinic, language } = this.line;
      try {
        const address = `${SERVER}api/clinics/${encodeURIComponent(clinic)}?language=${language}`;
        const response = await fetch(address, { credentials: "omit", signal: this.gone?.signal });
        if (response.ok) this.info = await response.json();
      } catch {
        // The phone line of the script tag and the crisis lines are here already.
      }
      this.showInfo();
    }

    showInfo() {
      const { name, open, opens } = this.info;
      const accent = this.getAttribute("accent") || this.info.accent || "";
      if (/^#[0-9a-f]{3,8}$/i.test(accent)) this.style.setProperty("--clinic", accent);
      this.heading.textContent = name || this.word("launch");
      const phone = this.phone();
      this.hours.replaceChildren();
      this.hours.hidden = open === undefined && !phone;
      this.hours.classList.toggle("is-open", open === true);
      if (opens) this.hours.append(opens);
      else {
        if (open !== undefined) this.hours.append(this.word(open ? "line_open" : "line_closed"), " ");
        if (phone) this.hours.append(h("a", { href: `tel:${dialled(phone)}` }, phone));
      }
    }

    phone() {
      return this.info.phone?.display || this.getAttribute("phone") || "";
    }

    toggleMenu() {
      const opens = this.menu.hidden;
      this.menu.hidden = !opens;
      this.menuButton.setAttribute("aria-expanded", String(opens));
      this.askToClear(false);
      (opens ? this.menu.querySelector("button") : this.menuButton).focus();
    }

    // --- talking

    submit() {
      const text = this.field.value.trim();
      if (!text) return;
      if (text.length > LIMIT) {
        this.announce(this.count.textContent);
        return;
      }
      this.field.value = "";
      this.grow();
      this.line.say({ text }, text);
    }

    help() {
      this.showLines("lines_help");
      this.line.say({ help_now: true }, this.word("help_now"));
    }

    grow() {
      const { field } = this;
      field.style.height = "auto";
      field.style.height = `${min(field.scrollHeight + 2, 160)}px`;
      const left = LIMIT - field.value.trim().length;
      this.count.classList.toggle("over", left < 0);
      if (left < 0) this.count.textContent = this.word("too_long", { count: -left });
      else this.count.textContent = field.value.length < COUNT_FROM ? "" : this.word("left", { count: left });
    }

    /**
     * The lines to dial, from here and not from the server.
     * @param {string} why name of the words above them
     */
    showLines(why) {
      const phone = this.phone();
      const links = this.dials("911 988");
      if (phone) {
        links[links.length] = h("a", { href: `tel:${dialled(phone)}` }, icon(ICONS.phone), this.word("call_clinic", { line: phone }));
      }
      this.linesTitle.textContent = this.word(why);
      this.linesList.replaceChildren(...links);
      this.linesWhy = why;
      this.lines.hidden = false;
      this.announce(`${this.linesTitle.textContent} ${this.linesList.innerText}`);
    }

    /** @param {boolean} yes */
    reachable(yes) {
      if (yes) this.hideLines("unreachable");
      else this.showLines("unreachable");
    }

    /** @param {string} why they were shown */
    hideLines(why) {
      if (this.linesWhy === why) this.lines.hidden = true;
    }

    // --- drawing

    /**
     * @param {string} who "visitor", "assistant" or "staff"
     * @param {string} text @param {Node} content
     */
    row(who, text, content) {
      const bubble = h("div.bubble", { dir: "auto" }, content);
      const speaker = h("span", { class: who === "staff" ? "speaker" : "unseen" }, this.word(`by_${who}`));
      const row = h("div", { class: `row ${who}` }, speaker, bubble);
      this.facts.set(row, { seq: this.latest, who, text });
      return row;
    }

    /** Put a row where the server's order wants it. @param {HTMLElement} row @param {number} seq */
    place(row, seq) {
      /** @type {any} */ (this.facts.get(row)).seq = seq;
      if (seq !== Infinity) this.latest = max(this.latest, seq);
      let before = null;
      for (let one = this.log.lastElementChild; one; one = one.previousElementSibling) {
        if (one === row) continue;
        const other = this.facts.get(one);
        if (!other || other.seq <= seq) break;
        before = one;
      }
      if (!row.parentNode || row.nextElementSibling !== before) this.log.insertBefore(row, before);
    }

    /** @param {string} id @param {string} text */
    drawOwn(id, text) {
      let row = this.own.get(id);
      if (row) return row;
      this.closeChoices();
      row = this.row("visitor", text, h("p", {}, text));
      this.own.set(id, row);
      this.place(row, Infinity);
      this.toEnd();
      return row;
    }

    /** @param {any} message @param {boolean} history */
    draw(message, history) {
      const { seq, text, id } = message;
      if (seq && seq < this.erased) return;
      const from = message.from || "assistant";
      if (from === "visitor") {
        this.place(this.drawOwn(id || `seq ${seq}`, text), seq);
        this.showDelivery(id, "sent", seq);
        return;
      }
      const there = this.atEnd();
      const hosts = ["988lifeline.org"];
      for (const origin of this.info.origins || []) {
        if (httpsAddress(origin)) hosts[hosts.length] = new URL(origin).hostname;
      }
      if (/^data_deleted/.test(message.response)) this.erase(seq);
      const row = this.row(from, text, drawn(text, hosts));
      this.place(row, seq === null ? this.latest : seq);
      this.hideTyping();
      if (URGENT.test(message.response || "")) {
        row.classList.add("urgent");
        row.append(h("div.dial", {}, ...this.dials(text)));
      }
      if (!row.nextElementSibling) this.offerChoices(row, message.buttons || []);
      if (history) return this.toEnd();
      let spoken = `${this.word(`by_${from}`)} ${text}`;
      for (const choice of message.buttons || []) spoken += `\n${choice.label}`;
      this.announce(spoken);
      if (this.panel.hidden) {
        this.badge.hidden = false;
        this.badge.textContent = this.word("newer");
      }
      if (there) this.toTop(row);
      else this.newer.hidden = false;
    }

    /** What the server has deleted goes here, too. @param {number} before this number */
    erase(before) {
      this.erased = before;
      for (const [row, { seq }] of this.facts) {
        if (seq < before) {
          row.remove();
          this.facts.delete(row);
        }
      }
      for (const [id, row] of this.own) if (!this.facts.has(row)) this.own.delete(id);
    }

    /** Links to dial the crisis lines that a text names. @param {string} text */
    dials(text) {
      const links = [];
      for (const [href, word] of DIALS) {
        if (text.includes(href.slice(4))) links[links.length] = h("a", { href }, icon(ICONS.phone), this.word(word));
      }
      return links;
    }

    /** @param {HTMLElement} row @param {Choice[]} offered */
    offerChoices(row, offered) {
      this.closeChoices();
      if (!offered.length) return;
      const choices = h("div.choices", { role: "group", "aria-label": this.word("choices") });
      for (const { id, label } of offered) {
        const choice = h("button", { type: "button", class: "choice" }, label);
        choice.addEventListener("click", () => {
          // The pressed button goes away; where the focus goes next is the visitor's act.
          (touches() ? this.scroll : this.field).focus({ preventScroll: true });
          this.line.say({ button: id }, label);
        });
        choices.append(choice);
      }
      row.append(choices);
    }

    /** Choices belong to the last message; an answered question shows what was answered. */
    closeChoices() {
      for (const choices of this.log.querySelectorAll(".choices")) choices.remove();
    }

    /** @param {string} id @param {string} how @param {number} [seq] */
    showDelivery(id, how, seq) {
      const row = this.own.get(id);
      if (!row) return;
      row.querySelector(".delivery")?.remove();
      if (how === "sending") {
        this.showTyping(0);
        row.append(h("p.delivery", {}, this.word("sending")));
        return;
      }
      this.hideTyping();
      if (how === "sent") {
        this.hideLines("busy");
        if (seq !== undefined || this.facts.get(row)?.seq === Infinity) {
          this.place(row, seq === undefined ? this.latest : seq);
        }
        return;
      }
      const note = h("p.delivery", {}, this.word(how === "busy" ? "sending" : how));
      if (how === "busy") this.showLines(how);
      else if (how === "failed") {
        const again = () => {
          this.scroll.focus({ preventScroll: true });
          this.line.flush();
        };
        note.append(" ", this.button("again", "again", again));
      } else {
        this.announce(this.word(how));
      }
      if (how === "long" && !this.field.value) {
        this.field.value = this.facts.get(row)?.text;
        this.grow();
      }
      row.append(note);
    }

    /** @param {number} milliseconds until it goes by itself; 0: it does not */
    showTyping(milliseconds) {
      clearTimeout(this.typingTimer);
      clearTimeout(this.typingSaid);
      this.typingTimer = setTimeout(() => {
        const there = this.atEnd();
        this.typing.hidden = false;
        if (there) this.toEnd();
        if (milliseconds) this.typingTimer = setTimeout(() => this.hideTyping(), milliseconds);
      }, TYPING_AFTER);
      this.typingSaid = setTimeout(() => this.announce(this.word("typing")), TYPING_SAID_AFTER);
    }

    hideTyping() {
      clearTimeout(this.typingTimer);
      clearTimeout(this.typingSaid);
      this.typing.hidden = true;
    }

    /** Say something to screen readers, once. @param {string} text */
    announce(text) {
      const said = h("div", {}, text);
      this.announcer.append(said);
      setTimeout(() => said.remove(), SAID_FOR);
    }

    // --- scrolling

    /** What scrolls: on very low screens the whole panel. */
    box() {
      return getComputedStyle(this.scroll).overflowY === "visible" ? this.panel : this.scroll;
    }

    atEnd() {
      const box = this.box();
      return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    }

    toEnd() {
      const box = this.box();
      box.scrollTop = box.scrollHeight;
      this.newer.hidden = true;
    }

    /** An answer is read from its first line on. @param {HTMLElement} row */
    toTop(row) {
      this.target = this.target || row;
      requestAnimationFrame(() => {
        if (!this.target) return;
        const box = this.box();
        const from = this.target.getBoundingClientRect().top - box.getBoundingClientRect().top;
        box.scrollTop += from - CONTEXT;
        this.target = null;
      });
    }

    // --- endings

    /** @param {"lost"|"elsewhere"|"cleared"} how */
    ended(how) {
      if (how !== "lost") {
        this.log.replaceChildren();
        this.facts.clear();
        this.own.clear();
      }
      this.latest = this.erased = 0;
      this.closeChoices();
      this.hideTyping();
      const note = h("p.notice", {}, this.word(`ended_${how}`));
      if (how === "elsewhere") {
        const again = () => {
          note.remove();
          this.field.focus();
          this.line.startAgain();
        };
        note.append(" ", this.button("again", "start_again", again));
      }
      // A notice has no number: rows are ordered behind it.
      this.log.append(note);
      for (const { id } of this.line.kept.outbox) {
        const row = this.own.get(id);
        if (row) this.log.append(row);
      }
      this.announce(note.textContent);
    }

    /** @param {boolean} yes */
    askToClear(yes) {
      this.asking.hidden = !yes;
      this.clearButton.hidden = yes;
      if (yes) this.asking.querySelector("button").focus();
    }

    clear() {
      this.toggleMenu();
      this.line.clear();
    }

    /** Quick exit: first nothing is seen, then nothing is kept, then nobody is here. */
    leave() {
      const to = httpsAddress(this.getAttribute("exit")) || httpsAddress(this.info.exit) || NEUTRAL;
      document.title = new URL(to).hostname;
      document.documentElement.style.setProperty("display", "none", "important");
      document.body.replaceChildren();
      this.log.replaceChildren();
      this.field.value = "";
      this.line.wipe();
      try {
        /** @type {Window} */ (window.top).location.replace(to);
      } catch {
        window.location.replace(to); // a frame that may not move the page around it
      }
    }

    /** Back on a page that the browser kept in memory, after a quick exit elsewhere. */
    forget() {
      this.disconnectedCallback();
      this.connectedCallback();
    }

    // --- taking it along

    transcript() {
      let text = `${this.heading.textContent}\n${this.word("about")}\n${new Date().toLocaleString(this.line.language)}\n`;
      for (const row of this.log.children) {
        const fact = this.facts.get(row);
        if (fact) text += `\n${this.word(`by_${fact.who}`)}\n${fact.text}\n`;
      }
      return text;
    }

    save() {
      const address = URL.createObjectURL(new Blob([this.transcript()], { type: "text/plain" }));
      h("a", { href: address, download: "chat.txt" }).click();
      setTimeout(() => URL.revokeObjectURL(address), SAID_FOR);
    }

    /** The transcript alone is printed, from a frame of its own. */
    print() {
      const frame = h("iframe.unseen", { title: this.word("print"), "aria-hidden": "true", tabindex: "-1" });
      this.root.append(frame);
      const paper = frame.contentWindow;
      const text = paper.document.createElement("pre");
      text.textContent = this.transcript();
      text.style.cssText = "white-space: pre-wrap; font: 12pt/1.4 sans-serif";
      paper.document.body.append(text);
      paper.addEventListener("afterprint", () => frame.remove());
      paper.print();
    }
  }

  /** Whether the main pointer is a finger. */
  function touches() {
    return window.matchMedia("(pointer: coarse)").matches;
  }

  /** @param {string|null|undefined} address @returns {string} "" unless it is a whole https address */
  function httpsAddress(address) {
    try {
      const url = new URL(address || "");
      return url.protocol === "https:" ? url.href : "";
    } catch {
      return "";
    }
  }

  // --- styles -----------------------------------------------------------------------

  const DARK = `
    --ground: #16201f; --panel: #1b2726; --ink: #e8f0ef; --quiet: #a9bab8; --edge: #344543;
    --said: #263634; --accent: var(--handrail-accent-dark, #7fcdc5);
    --on-accent: var(--handrail-on-accent-dark, #0b2422);
    --head: #203a38; --on-head: #eef6f5;
    --help: #ffb3b0; --help-ground: #4a1f22; --warm: #3b3017; --on-warm: #ffeccb;
    --shadow: 0 1.25em 3.5em #000a, 0 0 0 1px #ffffff1a; color-scheme: dark;`;
  const STYLE = `
    :host {
      all: initial !important; display: block !important;
      font: medium/1.5 var(--handrail-font, system-ui, sans-serif) !important;
      color: var(--ink) !important; color-scheme: light;
      --ground: #fff; --panel: #fff; --ink: #1c2b2a; --quiet: #566866; --edge: #dbe4e2;
      --said: #f0f4f3; --accent: var(--handrail-accent, var(--clinic, #1c6b66));
      --on-accent: var(--handrail-on-accent, #fff);
      --head: var(--accent); --on-head: var(--on-accent);
      --help: #9c1c28; --help-ground: #fdeeee; --warm: #fff5e0; --on-warm: #4a3500;
      --round: var(--handrail-radius, 1.125em);
      --shadow: 0 1.25em 3.5em #0f2a2833, 0 .125em .5em #0f2a281f;
    }
    :host(:not([mode="page"])) { position: fixed !important; inset: auto !important; z-index: 2147483000 !important; }
    :host([mode="page"]) { height: 100% !important; }
    @media (prefers-color-scheme: dark) { :host(:not([theme="light"])) {${DARK}} }
    :host([theme="dark"]) {${DARK}}
    * { box-sizing: border-box; margin: 0; }
    p:not(:empty)::after { content: "\\200e"; }
    [hidden] { display: none !important; }
    h1, h2 { flex: 1; font-size: 1.0625em; line-height: 1.25; font-weight: 650; }
    a { color: inherit; text-underline-offset: .15em; }
    button, textarea, input { font: inherit; color: inherit; }
    button { cursor: pointer; border: 1px solid transparent; background: none; padding: 0; }
    svg { width: 1.375em; height: 1.375em; flex: none; fill: none; stroke: currentcolor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0; }

    .launcher, :host(:not([mode="page"])) #panel {
      position: fixed; inset-block-end: var(--handrail-gap, 1.25em); inset-inline-end: var(--handrail-gap, 1.25em);
    }
    .launcher {
      display: flex; align-items: center; gap: .625em; min-height: 3.5em; padding: 0 1.375em 0 1.125em;
      border-radius: 2em; background: var(--accent); color: var(--on-accent); font-weight: 600; box-shadow: var(--shadow);
    }
    .launcher:hover, .send:hover { filter: brightness(1.08); }
    .badge { padding: .125em .625em; border-radius: 1em; background: var(--panel); color: var(--ink); font-size: .8125em; }

    #panel { position: relative; display: flex; flex-direction: column; background: var(--panel); overflow: hidden; outline-offset: -3px; }
    :host(:not([mode="page"])) #panel {
      width: min(25.5em, calc(100vw - 2em)); height: min(44em, calc(100vh - 2.5em));
      border-radius: var(--round); box-shadow: var(--shadow); animation: rise .18s ease-out;
    }
    :host([mode="page"]) #panel { height: 100%; max-width: 46em; margin: 0 auto; }
    :host([mode="page"]) > div { height: 100%; }
    @keyframes rise { from { opacity: 0; transform: translateY(.75em); } }

    header { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .25em; padding: .5em .625em .5em 1.125em; background: var(--head); color: var(--on-head); }
    header p { order: 1; width: 100%; font-size: .8125em; }
    header button { min-width: 2.5em; min-height: 2.5em; border-radius: .75em; display: inline-grid; place-items: center; }
    header .plain { font-size: .875em; padding: 0 .625em; }
    header button:hover { background: #ffffff26; }
    header :focus-visible { outline-color: currentcolor; outline-offset: -3px; }
    [d="${ICONS.more}"] { stroke-width: 3; }

    .menu { position: relative; padding: .5em; border-bottom: 1px solid var(--edge); max-height: 60%; overflow-y: auto; flex: none; }
    .item { display: flex; align-items: center; gap: .625em; width: 100%; min-height: 2.5em; padding: .375em .75em; border-radius: .625em; text-align: start; font-size: .9375em; cursor: pointer; }
    .item:hover, .exit:hover, .choice:hover { background: var(--said); }
    .item input { width: 1.25em; height: 1.25em; accent-color: var(--accent); flex: none; margin: 0; }
    .note { padding: 0 .75em .375em 2.75em; font-size: .8125em; color: var(--quiet); }
    .asking { padding: .5em .75em; font-size: .9375em; }
    .asking button { margin: .5em .5em 0 0; min-height: 2.25em; padding: 0 1em; border-radius: 1.25em; border-color: currentcolor; font-weight: 550; }

    .safety { display: flex; gap: .5em; padding: .625em .75em; border-bottom: 1px solid var(--edge); background: var(--panel); flex: none; }
    .safety button { display: flex; align-items: center; justify-content: center; gap: .5em; min-height: 2.5em; padding: .25em .875em; border-radius: 1.375em; font-size: .9375em; line-height: 1.25; }
    .help { flex: 1; background: var(--help-ground); color: var(--help); font-weight: 650; border-color: color-mix(in srgb, var(--help) 35%, transparent) !important; }
    .exit { color: var(--ink); border-color: var(--edge) !important; font-weight: 500; }
    .exit svg { width: 1.125em; height: 1.125em; }

    .lines { padding: .75em .875em; background: var(--warm); color: var(--on-warm); font-size: .9375em; flex: none; max-height: 50%; overflow-y: auto; }
    .dial { display: flex; flex-wrap: wrap; gap: .5em; margin-top: .25em; }
    .dial a { display: inline-flex; align-items: center; gap: .4em; min-height: 2.375em; padding: .125em .875em; border-radius: 1.25em; border: 1px solid; text-decoration: none; font-weight: 600; }
    .dial svg { width: 1em; height: 1em; }

    .scroll { flex: 1 1 auto; min-height: 8em; overflow-y: auto; overscroll-behavior: contain; padding: 1em .875em .5em; background: var(--ground); outline-offset: -3px; }
    .intro { font-size: .8125em; line-height: 1.45; color: var(--quiet); padding: 0 .25em .875em; }
    .log { display: flex; flex-direction: column; gap: .625em; }
    .row { display: flex; flex-direction: column; align-items: flex-start; gap: .375em; }
    .bubble { max-width: min(36em, 90%); padding: .625em .875em; border-radius: 1.125em; overflow-wrap: anywhere; background: var(--said); color: var(--ink); border: 1px solid transparent; }
    .bubble > * + * { margin-top: .625em; }
    .bubble ul { padding-inline-start: 1.25em; }
    .bubble li + li { margin-top: .25em; }
    .bubble a { font-weight: 550; color: var(--accent); white-space: nowrap; }
    .assistant .bubble, .staff .bubble { border-end-start-radius: .3125em; }
    .assistant + .assistant { margin-top: -.25em; }
    .visitor { align-items: flex-end; }
    .visitor .bubble { background: var(--accent); color: var(--on-accent); border-end-end-radius: .3125em; white-space: pre-wrap; }
    .staff .bubble { border-color: var(--accent); }
    .speaker { font-size: .8125em; font-weight: 600; color: var(--accent); }
    .urgent .bubble { background: var(--help-ground); border-color: color-mix(in srgb, var(--help) 30%, transparent); }
    .urgent .bubble a { color: var(--help); }
    .row .dial a { background: var(--help); color: var(--help-ground); border-color: transparent; font-size: .9375em; }
    .choices { display: flex; flex-wrap: wrap; gap: .5em; padding: .25em 0; }
    .choice { min-height: 2.5em; padding: .3125em 1em; border-radius: 1.375em; border-color: var(--accent); color: var(--accent); background: var(--panel); text-align: start; line-height: 1.3; }
    .delivery, .notice { font-size: .8125em; color: var(--quiet); }
    .notice { align-self: center; text-align: center; padding: .5em; }
    .again { min-height: 2em; padding: 0 .75em; border-radius: 1em; border-color: currentcolor; color: var(--accent); font-weight: 600; }
    .typing { display: inline-flex; gap: .3125em; padding: .875em; margin-top: .625em; border-radius: 1.125em; background: var(--said); }
    .typing i { width: .4375em; height: .4375em; border-radius: 50%; background: var(--quiet); animation: breathe 1.4s infinite; }
    .typing i:nth-child(2) { animation-delay: .2s; }
    .typing i:nth-child(3) { animation-delay: .4s; }
    @keyframes breathe { 0%, 70%, 100% { opacity: .35; } 35% { opacity: 1; } }
    .newer { position: absolute; inset-block-end: 8.5em; inset-inline: 0; margin-inline: auto; width: max-content; display: flex; align-items: center; gap: .375em; min-height: 2.25em; padding: 0 1em; border-radius: 1.25em; background: var(--ink); color: var(--panel); font-size: .875em; box-shadow: var(--shadow); }

    form { padding: .625em .75em .625em; border-top: 1px solid var(--edge); background: var(--panel); flex: none; }
    .field { display: flex; align-items: flex-end; gap: .5em; }
    textarea { flex: 1; min-width: 0; min-height: 2.875em; max-height: 10em; padding: .625em .875em; border: 1.5px solid var(--quiet); border-radius: 1.375em; background: var(--ground); resize: none; line-height: 1.5; overflow-y: auto; }
    textarea::placeholder { color: var(--quiet); opacity: 1; }
    textarea:focus-visible { outline-offset: 0; outline-width: 2px; border-color: var(--accent); }
    .send { width: 2.875em; height: 2.875em; border-radius: 50%; background: var(--accent); color: var(--on-accent); display: grid; place-items: center; flex: none; }
    .count:not(:empty) { padding: .375em .25em 0; font-size: .8125em; color: var(--quiet); }
    .count.over { color: var(--help); }
    .hours { padding: .5em .25em 0; font-size: .8125em; line-height: 1.4; color: var(--quiet); }
    .hours::before { content: ""; display: inline-block; width: .5em; height: .5em; margin-inline-end: .5em; border-radius: 50%; background: var(--quiet); opacity: .6; vertical-align: .0625em; }
    .hours.is-open::before { background: #2a9d63; opacity: 1; }

    @media (max-width: 30em) {
      :host(:not([mode="page"])) #panel { inset: 0 0 auto 0; width: 100%; height: var(--seen, 100dvh); border-radius: 0; }
    }
    /* Zoomed in or on a low screen the whole panel scrolls; the way to help stays. */
    @media (max-height: 30em) {
      #panel { overflow-y: auto; }
      .scroll { overflow: visible; flex: none; }
      .safety { position: sticky; top: 0; z-index: 1; }
      .lines, .menu { max-height: none; overflow: visible; }
      :host(:not([mode="page"])) #panel { inset-block: .5em auto; height: calc(100vh - 1em); }
      .newer { position: sticky; inset-block-end: .5em; }
    }
    @media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
    @media (forced-colors: active) {
      .bubble, button, header, #panel, .lines { border: 1px solid !important; }
    }
  `;

  // --- start ------------------------------------------------------------------------

  const script = /** @type {HTMLScriptElement|null} */ (document.currentScript);
  const SERVER = new URL(".", script ? script.src : window.location.href).href;

  if (!customElements.get("handrail-chat")) {
    customElements.define("handrail-chat", HandrailChat);
    const data = script?.dataset;
    if (data?.clinic) {
      const chat = create("handrail-chat");
      for (const name of ["clinic", "language", "theme", "phone", "exit", "accent"]) {
        if (data[name]) chat.setAttribute(name, data[name]);
      }
      document.body.append(chat);
    }
  }
})();
