// Loads the behaviours; each is wired by a data- attribute and the page works without it.
import "./menus.js";
import "./confirm.js";
import "./autosubmit.js";
import "./copy.js";
import "./errors.js";

document.documentElement.classList.add("js");
