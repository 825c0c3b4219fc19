// The list of what to mend takes the focus, so that it is read first and its links are next.
const focus = (root) => root.querySelector("[data-focus]")?.focus();

document.addEventListener("htmx:load", (event) => focus(event.target));
focus(document);
