// Leads to the current release, and keeps the query and the fragment of the address.
document.addEventListener("DOMContentLoaded", function () {
  location.replace(document.getElementById("current").href + location.search + location.hash);
});
