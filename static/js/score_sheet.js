// The score sheet by keyboard. In a criterion's scale the key of a grade chooses it and "-" is not applicable; F8 and F9
// go to the case before and after, once what was typed is saved; Ctrl+Enter saves. Everything works without this file, by Tab and the arrow keys.
(function () {
  "use strict";
  function choose(scale, key) {
    var found = Array.from(scale.querySelectorAll("input[type=radio]")).find(function (one) {
      return one.value.toLowerCase() === key.toLowerCase() && one.value !== "";
    });
    if (!found) return false;
    found.checked = true;
    found.focus();
    found.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }
  // A sheet that saves itself is saved before the next case opens. One that was handed in counts at once: there the
  // browser asks instead.
  var leaving = null, unsaved = false, busy = false;
  function save(form) { form.requestSubmit(form.querySelector("[data-save]")); }
  function go(rel) {
    var link = document.querySelector("a[rel=" + rel + "]"), form = document.querySelector("form[data-sheet]");
    if (!link) return;
    if (!form.querySelector("[name=next]") || !(unsaved || busy)) { link.click(); return; }
    leaving = link;
    if (!busy) save(form);
  }
  function isSheet(event) { return Boolean(event.target.matches && event.target.matches("form[data-sheet]")); }
  document.addEventListener("input", function (event) {
    if (event.target.closest("form[data-sheet]")) unsaved = true;
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (!isSheet(event)) return;
    unsaved = false;
    busy = true;
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (!isSheet(event)) return;
    busy = false;
    if (!event.detail.successful) { unsaved = true; leaving = null; }
    if (!leaving) return;
    if (unsaved) save(event.target);
    else setTimeout(function () { leaving.click(); }, 0);
  });
  document.addEventListener("keydown", function (event) {
    if (event.isComposing || event.altKey || event.metaKey) return;
    var form = event.target.closest("form[data-sheet]");
    if (event.key === "F8" || event.key === "F9") {
      event.preventDefault();
      go(event.key === "F8" ? "prev" : "next");
    } else if (form && event.ctrlKey && event.key === "Enter") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
    } else if (form && !event.ctrlKey && event.target.type === "radio" && event.key.length === 1) {
      if (choose(event.target.closest("fieldset"), event.key)) event.preventDefault();
    }
  });
})();
