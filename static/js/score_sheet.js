// The score sheet by keyboard. In a criterion's scale the key of a grade chooses it and "-" is not applicable; F8 and F9
// go to the case before and after; Ctrl+Enter saves. Everything works without this file, by Tab and the arrow keys.
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
  function go(rel) {
    var link = document.querySelector("a[rel=" + rel + "]");
    if (link) link.click();
  }
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
