// The search boxes of the admin's forms have no name of their own: they take it from the field's label.
(function () {
  "use strict";
  function name() {
    document.querySelectorAll("select.admin-autocomplete").forEach(function (select) {
      var label = document.querySelector('label[for="' + select.id + '"]');
      var box = select.parentElement.querySelector(".select2-selection");
      if (!label || !box) return;
      var value = box.querySelector(".select2-selection__rendered");
      label.id = select.id + "_label";
      box.setAttribute("aria-labelledby", label.id + " " + value.id);
      value.setAttribute("aria-labelledby", label.id);
      window.django.jQuery(select).on("select2:open", function () {
        var search = document.querySelector(".select2-search__field");
        var list = search.closest(".select2-container");
        search.setAttribute("aria-labelledby", label.id);
        box.setAttribute("aria-controls", box.getAttribute("aria-owns"));
        list.setAttribute("role", "region");
        list.setAttribute("aria-labelledby", label.id);
      });
    });
  }
  // In the queue behind Django's own start, which makes the boxes.
  if (window.django && window.django.jQuery) window.django.jQuery(name);
})();
