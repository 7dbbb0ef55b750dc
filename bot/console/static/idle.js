/* Takes what is about a person off a page that nobody has touched for 15 minutes. What was
   typed stays in its forms; the server ends the session at the same time by itself. */
"use strict";
const IDLE = 15 * 60 * 1000; // as IDLE in bot/console/login.py
let touched = Date.now();

function hideWhenIdle() {
  const parts = document.querySelectorAll("[data-person]");
  if (!parts.length || Date.now() - touched < IDLE) return;
  for (const part of parts) part.replaceChildren();
  document.title = "Hidden · Handrail";
  document.documentElement.classList.add("idle");
  document.getElementById("idle").hidden = false;
}

function touch() {
  hideWhenIdle(); // a sleeping computer's timers sleep too
  touched = Date.now();
}

for (const kind of ["pointerdown", "pointermove", "keydown", "input", "scroll"])
  addEventListener(kind, touch, { passive: true });
addEventListener("pageshow", hideWhenIdle);
document.addEventListener("visibilitychange", hideWhenIdle);
setInterval(hideWhenIdle, 5000);
