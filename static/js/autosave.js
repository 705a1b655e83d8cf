// Unsaved text is kept in this browser until the server has it: leaving warns, an ended session loses nothing.
// A form takes part with data-draft="<key>"; its text areas and choices are kept by name.
(function () {
  "use strict";
  var dirty = new Set();
  function key(form, field) {
    return "sekisho:" + form.dataset.draft + ":" + field.name;
  }
  function fields(form) {
    return Array.from(form.querySelectorAll("textarea[name], input[type=text][name], input[type=radio][name]"));
  }
  function isChanged(field) {
    return field.type === "radio" ? field.checked && !field.defaultChecked : field.value !== field.defaultValue;
  }
  function remember(form) {
    fields(form).forEach(function (field) {
      if (field.type === "radio" && !field.checked) return;
      if (isChanged(field)) sessionStorage.setItem(key(form, field), field.value);
      else sessionStorage.removeItem(key(form, field));
    });
  }
  function forget(form) {
    fields(form).forEach(function (field) { sessionStorage.removeItem(key(form, field)); });
    dirty.delete(form.dataset.draft);
  }
  function offer(form) {
    fields(form).forEach(function (field) {
      var kept = sessionStorage.getItem(key(form, field));
      var isChoice = field.type === "radio";
      if (kept === null || (isChoice ? kept !== field.value || field.checked : kept === field.value)) return;
      var note = form.querySelector("[data-draft-offer]");
      if (!note) return;
      note.hidden = false;
      note.querySelector("button").addEventListener("click", function () {
        if (isChoice) field.checked = true; else field.value = kept;
        note.hidden = true;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.focus();
      }, { once: true });
    });
  }
  document.addEventListener("input", function (event) {
    var form = event.target.closest("form[data-draft]");
    if (!form) return;
    dirty.add(form.dataset.draft);
    remember(form);
  });
  document.addEventListener("submit", function (event) {
    if (event.target.dataset.draft) dirty.delete(event.target.dataset.draft);
  });
  window.addEventListener("beforeunload", function (event) {
    if (dirty.size) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.target.closest && event.target.closest("form[data-draft]");
    if (!form) return;
    if (event.detail.successful) { forget(form); return; }
    dirty.add(form.dataset.draft);
    var state = form.querySelector(".save-state");
    if (state) state.textContent = form.dataset.failed || "";
  });
  // An answer with errors or a conflict is shown as well, and a sign-in page is never put into a part of the page.
  document.addEventListener("htmx:beforeSwap", function (event) {
    var status = event.detail.xhr.status;
    if (status === 409 || status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  function start() { document.querySelectorAll("form[data-draft]").forEach(offer); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
